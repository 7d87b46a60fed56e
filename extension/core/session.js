/** What outlives the popup, which closes with every click beside it, but not the browser. */

import { makeMemory, makeStored } from "./slot.js";

/** @typedef {import("./slot.js").Area} Area */
/** @typedef {import("./saving.js").Sent} Sent */
/**
 * @template T
 * @typedef {import("./slot.js").Slot<T>} Slot
 */
/**
 * What is in the form: never the password, only whether there was one. `expiresIn` in seconds, null for the usual;
 * `sent`: whether it is as it was sent.
 * @typedef {{text: string, expiresIn: number | null, once: boolean, locked: boolean, sent: boolean}} Drafted
 */
/**
 * `expiresAt` in ms; `phrase` that was made for it, "" for none: the popup closes before it is told to anybody.
 * @typedef {{code: string, ownerToken: string, expiresAt: number, isSealed: boolean, phrase: string}} KeptWritten
 */
/**
 * `expiresAt` in ms; null for a one-time text, which is nowhere else any more.
 * @typedef {{code: string, text: string, once: boolean, expiresAt: number | null}} KeptShown
 */

/** Where the background leaves an open text for the popup to save. @param {Area} area @returns {Slot<Sent>} */
export const handedIn = (area) => makeStored(area, "handed");

/** What was copied last, as its hash. @param {Area} area @returns {Slot<string>} */
export const copiedIn = (area) => makeStored(area, "copied");

/** What belongs to a service must not reach another one: owner tokens and texts under way. @param {Area} area */
export async function leaveService(area) {
  for (const key of ["outbox", "asked", "written", "handed"]) await area.remove(key);
}

/** What the popup has to say about a selection: the key of a message. @param {Area} area @returns {Slot<string>} */
export const noticeIn = (area) => makeStored(area, "notice");

/** Which tab the popup shows. @param {Area} area @returns {Slot<string>} */
export const tabIn = (area) => makeStored(area, "tab");

/** A draft that is nothing but a text. @param {string} text @returns {Drafted} */
export const draftOf = (text) => ({ text, expiresIn: null, once: false, locked: false, sent: false });

/**
 * @param {Area} area that is gone with the browser
 * @param {boolean} isBorrowed whether nothing may be kept at all
 */
export function makeSession(area, isBorrowed) {
  /** @param {string} key @returns {Slot<any>} */
  const slot = (key) => (isBorrowed ? makeMemory() : spared(makeStored(area, key)));
  return {
    /** @type {Slot<Drafted>} */
    draft: slot("draft"),
    /** @type {Slot<string>} */
    typed: slot("typed"),
    /** @type {Slot<Sent>} */
    outbox: slot("outbox"),
    /** @type {Slot<import("./reading.js").Asked>} */
    asked: slot("asked"),
    /** @type {Slot<KeptWritten>} */
    written: slot("written"),
    /** @type {Slot<KeptShown>} */
    shown: slot("shown"),
    tab: tabIn(area),
    notice: noticeIn(area),
    handed: handedIn(area),
  };
}

/**
 * A full area must not keep anybody from saving or reading.
 * @template T
 * @param {Slot<T>} slot
 * @returns {Slot<T>}
 */
function spared(slot) {
  return { get: slot.get, put: (value) => slot.put(value).catch(() => {}) };
}
