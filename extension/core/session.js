/** What outlives the popup, which closes with every click beside it, but not the browser. */

import { makeMemoryItem, makeStorageItem } from "./storageItem.js";

/** @typedef {import("./storageItem.js").StorageArea} StorageArea */
/** @typedef {import("./saving.js").Sent} Sent */
/**
 * @template T
 * @typedef {import("./storageItem.js").StorageItem<T>} StorageItem
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

/** Where the background leaves an open text for the popup to save. @param {StorageArea} area @returns {StorageItem<Sent>} */
export const handedIn = (area) => makeStorageItem(area, "handed");

/** What was copied last, as its hash. @param {StorageArea} area @returns {StorageItem<string>} */
export const copiedIn = (area) => makeStorageItem(area, "copied");

/** What belongs to a service must not reach another one: owner tokens and texts under way. @param {StorageArea} area */
export async function leaveService(area) {
  for (const key of ["outbox", "asked", "written", "handed"]) await area.remove(key);
}

/** What the popup has to say about a selection: the key of a message. @param {StorageArea} area @returns {StorageItem<string>} */
export const noticeIn = (area) => makeStorageItem(area, "notice");

/** Which tab the popup shows. @param {StorageArea} area @returns {StorageItem<string>} */
export const tabIn = (area) => makeStorageItem(area, "tab");

/** A draft that is nothing but a text. @param {string} text @returns {Drafted} */
export const draftOf = (text) => ({ text, expiresIn: null, once: false, locked: false, sent: false });

/**
 * @param {StorageArea} area that is gone with the browser
 * @param {boolean} isShared whether nothing may be kept at all
 */
export function makeSession(area, isShared) {
  /** @param {string} key @returns {StorageItem<any>} */
  const item = (key) => (isShared ? makeMemoryItem() : ignoreQuota(makeStorageItem(area, key)));
  return {
    /** @type {StorageItem<Drafted>} */
    draft: item("draft"),
    /** @type {StorageItem<string>} */
    typed: item("typed"),
    /** @type {StorageItem<Sent>} */
    outbox: item("outbox"),
    /** @type {StorageItem<import("./reading.js").Asked>} */
    asked: item("asked"),
    /** @type {StorageItem<KeptWritten>} */
    written: item("written"),
    /** @type {StorageItem<KeptShown>} */
    shown: item("shown"),
    tab: tabIn(area),
    notice: noticeIn(area),
    handed: handedIn(area),
  };
}

/**
 * A full area must not keep anybody from saving or reading.
 * @template T
 * @param {StorageItem<T>} item
 * @returns {StorageItem<T>}
 */
function ignoreQuota(item) {
  return { get: item.get, put: (value) => item.put(value).catch(() => {}) };
}
