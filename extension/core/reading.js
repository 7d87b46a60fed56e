/** Loading: a sealed text is opened here, and a one-time text reaches one reader for certain. */

import { UnexpectedResponse, NoText, NotSealed } from "./errors.js";
import { WeakSealError, canSeal, deriveKeysFromInput, open } from "./seal.js";
import { makeMemoryItem } from "./storage.js";
import { makeUuid } from "./uuid.js";

/** @typedef {ReturnType<typeof import("./api.js").makeApi>} Api */
/** @typedef {import("./seal.js").Parameters} Parameters */
/**
 * What was loaded. `acknowledge` is to be called when it is shown: it ends a one-time text.
 * @typedef {{text: string, secondsLeft: number, once: boolean, acknowledge: () => Promise<void>}} LoadResult
 */

/** @typedef {{code: string, claim: string, seal?: Parameters}} LoadAttempt */

/**
 * @param {object} options
 * @param {Pick<Api, "load" | "ack">} options.api
 * @param {import("./storage.js").StorageItem<LoadAttempt>} [options.attemptItem] outlives what is under way
 * @param {(password: string) => Promise<string>} [options.normalizePassword] the phrase that another spelling means
 */
export function makeReader({ api, attemptItem = makeMemoryItem(), normalizePassword = async (password) => password }) {
  /**
   * What is asked for, until it has come: whoever asks again is the same reader.
   * @type {LoadAttempt}
   */
  let attempt = { code: "", claim: "" };

  /**
   * Load a text. Rejects as the service's client does, and with the errors of `seal.js`.
   * @param {string} code
   * @param {string} [password]
   * @param {boolean} [mustBeSealed] whether a link has said that the text is sealed
   * @returns {Promise<LoadResult>}
   */
  async function load(code, password, mustBeSealed = false) {
    await startAttempt(code);
    const { claim } = attempt;
    const { text, secondsLeft, once } = await (password ? loadWithPassword(password, mustBeSealed) : loadOpen(mustBeSealed));
    attempt = { code: "", claim: "" };
    // Silently where it fails: the service ends the text by itself two minutes later.
    const acknowledge = async () => {
      if (attempt.code === "") await attemptItem.set(null);
      if (once) await api.ack(code, claim).catch(() => {});
    };
    return { text, secondsLeft, once, acknowledge };
  }

  /** @param {string} code */
  async function startAttempt(code) {
    if (code === attempt.code) return;
    const before = await attemptItem.get();
    attempt = before?.code === code ? { ...before } : { code, claim: makeUuid() };
    await attemptItem.set({ code, claim: attempt.claim });
  }

  /** @param {boolean} mustBeSealed */
  async function loadOpen(mustBeSealed) {
    const found = await request();
    if (mustBeSealed) throw new NotSealed(false);
    return found;
  }

  /** @param {string} password @param {boolean} mustBeSealed */
  async function loadWithPassword(password, mustBeSealed) {
    if (canSeal() && !attempt.seal && (await tryWithoutPassword())) throw new NotSealed(!mustBeSealed);
    const phrase = await normalizePassword(password);
    if (phrase === password) return tryPassword(password);
    try {
      return await tryPassword(phrase);
    } catch (error) {
      if (!(error instanceof NoText)) throw error;
      // Saving takes a password exactly as it was typed, with curl too. Whoever made up one that is another spelling of
      // five words of the list opens it here, at the cost of a miss; any other password is never respelled.
      return tryPassword(password);
    }
  }

  /** @param {string} password */
  async function tryPassword(password) {
    return canSeal() ? loadSealed(await deriveKeys(password)) : request({ password });
  }

  /** An open text, or null; in that case it is known now how the code is sealed. */
  async function tryWithoutPassword() {
    try {
      return await request();
    } catch (error) {
      if (error instanceof NoText) return null;
      throw error;
    }
  }

  /** @param {string} password */
  async function deriveKeys(password) {
    try {
      return await deriveKeysFromInput(password, attempt.seal);
    } catch (error) {
      // The next try asks anew: the service may have been mended.
      if (error instanceof WeakSealError) attempt.seal = undefined;
      throw error;
    }
  }

  /** @param {import("./seal.js").Keys} keys */
  async function loadSealed(keys) {
    const found = await request({ proof: keys.proof });
    if (!found.sealed) throw new NotSealed(false);
    return { ...found, text: await open(found.text, keys) };
  }

  /** @param {{password?: string, proof?: string}} [credentials] */
  async function request(credentials = {}) {
    try {
      const found = await api.load(attempt.code, { claim: attempt.claim, ...credentials });
      if (found.sealed && !credentials.proof) throw new UnexpectedResponse(200);
      return found;
    } catch (error) {
      if (error instanceof NoText) attempt.seal = error.seal;
      throw error;
    }
  }

  return { load };
}
