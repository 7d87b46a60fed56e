/** Loading: a sealed text is opened here, and a one-time text reaches one reader for certain. */

import { Fault, NoText, NotSealed } from "./errors.js";
import { keysOf } from "./lock.js";
import { WeakSealError, canSeal, open } from "./seal.js";
import { makeMemoryItem } from "./storageItem.js";
import { makeUuid } from "./uuid.js";

/** @typedef {ReturnType<typeof import("./api.js").makeApi>} Api */
/** @typedef {import("./seal.js").Parameters} Parameters */
/**
 * What was loaded. `seen` is to be called when it is shown: it ends a one-time text.
 * @typedef {{text: string, secondsLeft: number, once: boolean, seen: () => Promise<void>}} Read
 */

/** @typedef {{code: string, claim: string, seal?: Parameters}} Asked */

/**
 * @param {object} options
 * @param {Pick<Api, "load" | "ack">} options.api
 * @param {import("./storageItem.js").StorageItem<Asked>} [options.item] outlives what is under way
 */
export function makeReader({ api, item = makeMemoryItem() }) {
  /**
   * What is asked for, until it has come: whoever asks again is the same reader.
   * @type {Asked}
   */
  let asked = { code: "", claim: "" };

  /**
   * Load a text. Rejects as the service's client does, and with the errors of `seal.js`.
   * @param {string} code
   * @param {string} [password]
   * @param {boolean} [isPromised] whether a link has said that the text is sealed
   * @returns {Promise<Read>}
   */
  async function load(code, password, isPromised = false) {
    await begin(code);
    const { claim } = asked;
    const { text, secondsLeft, once } = await (password ? unlock(password, isPromised) : askOpen(isPromised));
    asked = { code: "", claim: "" };
    // Silently where it fails: the service ends the text by itself two minutes later.
    const seen = async () => {
      if (asked.code === "") await item.put(null);
      if (once) await api.ack(code, claim).catch(() => {});
    };
    return { text, secondsLeft, once, seen };
  }

  /** @param {string} code */
  async function begin(code) {
    if (code === asked.code) return;
    const before = await item.get();
    asked = before?.code === code ? { ...before } : { code, claim: makeUuid() };
    await item.put({ code, claim: asked.claim });
  }

  /** @param {boolean} isPromised */
  async function askOpen(isPromised) {
    const found = await ask();
    if (isPromised) throw new NotSealed(false);
    return found;
  }

  /** @param {string} password @param {boolean} isPromised */
  async function unlock(password, isPromised) {
    if (!canSeal()) return ask({ password });
    if (!asked.seal && (await askFirst())) throw new NotSealed(!isPromised);
    return unseal(await derive(password));
  }

  /** An open text, or null; in that case it is known now how the code is sealed. */
  async function askFirst() {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof NoText) return null;
      throw error;
    }
  }

  /** @param {string} password */
  async function derive(password) {
    try {
      return await keysOf(password, asked.seal);
    } catch (error) {
      // The next try asks anew: the service may have been mended.
      if (error instanceof WeakSealError) asked.seal = undefined;
      throw error;
    }
  }

  /** @param {import("./seal.js").Keys} keys */
  async function unseal(keys) {
    const found = await ask({ proof: keys.proof });
    if (!found.sealed) throw new NotSealed(false);
    return { ...found, text: await open(found.text, keys) };
  }

  /** @param {{password?: string, proof?: string}} [shown] */
  async function ask(shown = {}) {
    try {
      const found = await api.load(asked.code, { claim: asked.claim, ...shown });
      if (found.sealed && !shown.proof) throw new Fault(200);
      return found;
    } catch (error) {
      if (error instanceof NoText) asked.seal = error.seal;
      throw error;
    }
  }

  return { load };
}
