/** Saving: a text with a password is sealed here, and however often it is sent it leases one code. */

import { Invalid, NoText, TooLarge } from "./errors.js";
import { canSeal, sealInput } from "./seal.js";
import { makeMemoryItem } from "./storage.js";
import { makeUuid } from "./uuid.js";

/** @typedef {ReturnType<typeof import("./api.js").makeApi>} Api */
/** @typedef {import("./api.js").Draft} Draft */
/** @typedef {import("./api.js").Written} Written */
/** @typedef {{text: string, password: string, expiresIn: number, once: boolean}} SaveRequest */
/** @typedef {{body: Draft, key: string}} PendingWrite what goes to the service; `key` names the write */

/** @typedef {Written & {isSealed: boolean, once: boolean}} SaveResult */

/** @type {(keyof SaveRequest)[]} */
const REQUEST_FIELDS = ["text", "password", "expiresIn", "once"];

/**
 * A write of an open text, ready to be resumed.
 * @param {{text: string, expiresIn: number}} wanted
 * @returns {PendingWrite}
 */
export function newWrite({ text, expiresIn }) {
  return { body: { text, expiresIn, once: false }, key: makeUuid() };
}

/**
 * A write stays in the outbox until `markStored` says that its code is kept.
 * @param {object} options
 * @param {Pick<Api, "write">} options.api
 * @param {import("./storage.js").StorageItem<PendingWrite>} [options.outbox] outlives what is under way; it never holds a password
 */
export function makeSaver({ api, outbox = makeMemoryItem() }) {
  /**
   * What was sent and has no good answer yet. The service may have it all the same, so it is sent
   * again to the byte: sealed anew, it would be another text under the same key.
   * @type {(PendingWrite & {wanted: SaveRequest | null}) | null}
   */
  let pending = null;

  /** @param {SaveRequest} wanted @returns {Promise<SaveResult>} */
  async function save(wanted) {
    await restorePending();
    const isRepeated = pending?.wanted && REQUEST_FIELDS.every((name) => pending?.wanted?.[name] === wanted[name]);
    if (!isRepeated) await setPending({ wanted, body: await bodyOf(wanted), key: makeUuid() });
    return sendPending(Boolean(isRepeated));
  }

  /**
   * Go on with a write whose end nobody saw; null where there is none.
   * @returns {Promise<SaveResult | null>}
   */
  async function resume() {
    await restorePending();
    return pending && sendPending(true);
  }

  /** Take over a write that was made ready elsewhere; it is sent by `resume`. @param {PendingWrite} sent */
  const accept = (sent) => setPending({ ...sent, wanted: requestOf(sent.body) });

  /** @param {boolean} isRepeated @returns {Promise<SaveResult>} */
  async function sendPending(isRepeated) {
    const { wanted, body, key } = /** @type {NonNullable<typeof pending>} */ (pending);
    try {
      const written = await api.write(body, key);
      pending = null;
      if (written.secondsLeft > 0) return saveResult(written, body);
      // A fresh code lives as long as was asked for, whatever the clock of this computer says.
      if (!isRepeated) return saveResult({ ...written, secondsLeft: body.expiresIn }, body);
      // Tried again so late that the first one, whose code nobody saw, has expired.
      await setPending({ wanted, body, key: makeUuid() });
      return await sendPending(false);
    } catch (error) {
      if (error instanceof Invalid || error instanceof TooLarge) await setPending(null);
      throw error;
    }
  }

  async function restorePending() {
    if (pending) return;
    const sent = await outbox.get();
    pending = sent && { ...sent, wanted: requestOf(sent.body) };
  }

  /** What was written is kept elsewhere now: nothing has to be gone on with. */
  async function markStored() {
    if (!pending) await outbox.set(null);
  }

  /** @param {typeof pending} next */
  async function setPending(next) {
    pending = next;
    // Where the service seals, the body holds the password.
    const isKept = next && !next.body.password;
    await outbox.set(isKept ? { body: next.body, key: next.key } : null);
  }

  return { save, resume, accept, markStored };
}

/**
 * How long a text still lives by the service's word, in seconds; 0 where it has ended. Rejects as the service's client
 * does where the service cannot be asked.
 * @param {Pick<Api, "status">} api
 * @param {{code: string, ownerToken: string}} written
 */
export async function fetchSecondsLeft(api, { code, ownerToken }) {
  try {
    const { state, secondsLeft } = await api.status(code, ownerToken);
    return state === "waiting" || state === "loaded" ? secondsLeft : 0;
  } catch (error) {
    if (error instanceof NoText) return 0;
    throw error;
  }
}

/** @param {Written} written @param {Draft} body @returns {SaveResult} */
function saveResult(written, { proof, password, once = false }) {
  return { ...written, isSealed: Boolean(proof ?? password), once };
}

/** What an open text was wanted with; null for a sealed one, whose password is not known. @param {Draft} body */
function requestOf({ text, expiresIn, once = false, proof }) {
  return proof ? null : { text, password: "", expiresIn, once };
}

/** @param {SaveRequest} wanted @returns {Promise<Draft>} */
async function bodyOf({ text, password, expiresIn, once }) {
  // Without WebCrypto the service has to seal; whoever asks must have said so.
  if (!password || !canSeal()) return { text, password, expiresIn, once };
  const { jwe, proof } = await sealInput(text, password);
  return { text: jwe, proof, expiresIn, once };
}
