/** Saving: a text with a password is sealed here, and however often it is sent it leases one code. */

import { Invalid } from "./errors.js";
import { lock } from "./lock.js";
import { canSeal } from "./seal.js";
import { makeUuid } from "./uuid.js";

/** @typedef {ReturnType<typeof import("./api.js").makeApi>} Api */
/** @typedef {{text: string, password: string, expiresIn: number, once: boolean}} Wanted */

const FIELDS = /** @type {const} */ (["text", "password", "expiresIn", "once"]);

/** @param {Api} api */
export function makeSaver(api) {
  /**
   * What was sent and has no good answer yet. The service may have it all the same, so it is sent
   * again to the byte: sealed anew, it would be another text under the same key.
   * @type {{wanted: Wanted, body: import("./api.js").Draft, key: string} | null}
   */
  let pending = null;

  /** @param {Wanted} wanted @returns {Promise<import("./api.js").Written>} */
  async function save(wanted) {
    const repeated = FIELDS.every((name) => pending?.wanted[name] === wanted[name]) ? pending : null;
    const sent = repeated ?? { wanted, body: await draftOf(wanted), key: makeUuid() };
    pending = sent;
    try {
      const written = await api.write(sent.body, sent.key);
      pending = null;
      // Tried again so late that the first one, whose code nobody saw, has expired.
      return repeated && written.secondsLeft === 0 ? save(wanted) : written;
    } catch (error) {
      if (error instanceof Invalid) pending = null;
      throw error;
    }
  }

  return { save };
}

/** @param {Wanted} wanted @returns {Promise<import("./api.js").Draft>} */
async function draftOf({ text, password, expiresIn, once }) {
  // Without WebCrypto the service has to seal; whoever asks must have said so.
  if (!password || !canSeal()) return { text, password, expiresIn, once };
  const { jwe, proof } = await lock(text, password);
  return { text: jwe, proof, expiresIn, once };
}
