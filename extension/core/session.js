/** What outlives the popup, which closes with every click beside it, but not the browser. */

import { makeMemoryItem, makeStorageItem } from "./storage.js";

/** @typedef {import("./storage.js").StorageArea} StorageArea */
/** @typedef {import("./saving.js").PendingWrite} PendingWrite */
/**
 * @template T
 * @typedef {import("./storage.js").StorageItem<T>} StorageItem
 */
/**
 * What is in the form: never the password, only whether there was one. `expiresIn` in seconds, null for the usual;
 * `sent`: whether it is as it was sent.
 * @typedef {{text: string, expiresIn: number | null, once: boolean, locked: boolean, sent: boolean}} FormDraft
 */
/**
 * `expiresAt` and `savedAt` in ms; `phrase` that was made for it, "" for none: the popup closes before it is told to
 * anybody; `text`: what was saved, "" where it is not known; `isOpened`: whether the user knows that it was opened.
 * @typedef {{code: string, ownerToken: string, expiresAt: number, isSealed: boolean, once: boolean, phrase: string,
 *   text: string, savedAt: number, isOpened?: boolean}} StoredCode
 */
/**
 * `expiresAt` in ms; null for a one-time text, which is nowhere else any more.
 * @typedef {{code: string, text: string, once: boolean, expiresAt: number | null}} StoredText
 */

/** Where the background leaves an open text for the popup to save. @param {StorageArea} area @returns {StorageItem<PendingWrite>} */
export const backgroundWriteItem = (area) => makeStorageItem(area, "handed");

/** What was copied last, as its hash. @param {StorageArea} area @returns {StorageItem<string>} */
export const copiedHashItem = (area) => makeStorageItem(area, "copied");

/**
 * What the window for live transfers is opened for; it takes it away.
 * @param {StorageArea} area
 * @returns {StorageItem<import("../ui/liveEntry.js").LiveRequest>}
 */
export const liveRequestItem = (area) => makeStorageItem(area, "liveRequest");

/** What belongs to a service must not reach another one: owner tokens and texts under way. @param {StorageArea} area */
export async function clearServiceData(area) {
  for (const key of ["outbox", "asked", "written", "handed", "live", "liveAttempts", "liveRequest"]) await area.remove(key);
}

/** What the popup has to say about a selection: the key of a message. @param {StorageArea} area @returns {StorageItem<string>} */
export const noticeItem = (area) => makeStorageItem(area, "notice");

/** The tab of the popup with both panels. */
export const TEXT_TAB = "tab-text";
/** The same, with the focus where a code is typed. */
export const LOAD_TAB = "tab-load";

/** Which tab the popup shows. @param {StorageArea} area @returns {StorageItem<string>} */
export const tabItem = (area) => makeStorageItem(area, "tab");

/** A draft that is nothing but a text. @param {string} text @returns {FormDraft} */
export const newDraft = (text) => ({ text, expiresIn: null, once: false, locked: false, sent: false });

/**
 * @param {StorageArea} area
 * @param {boolean} isSharedComputer
 * @returns {(key: string) => StorageItem<any>}
 */
const itemsOf = (area, isSharedComputer) => (key) =>
  isSharedComputer ? makeMemoryItem() : ignoreQuota(makeStorageItem(area, key));

/**
 * An item that is known until the page is closed, also where the area keeps nothing.
 * @template T
 * @param {StorageItem<T>} item
 * @returns {StorageItem<T>}
 */
function withMemory(item) {
  /** @type {StorageItem<T>} */
  const memory = makeMemoryItem();
  return {
    get: async () => (await item.get()) ?? (await memory.get()),
    set: async (value) => {
      await memory.set(value);
      await item.set(value);
    },
  };
}

/** @typedef {ReturnType<typeof makeLiveItems>} LiveItems */

/**
 * What a live transfer goes on with after a reload.
 * @param {StorageArea} area that is gone with the browser
 * @param {boolean} isSharedComputer whether nothing may be kept at all
 */
export function makeLiveItems(area, isSharedComputer) {
  const item = itemsOf(area, isSharedComputer);
  return {
    /** @type {StorageItem<import("./liveTransfer.js").LiveState>} */
    state: item("live"),
    /** @type {StorageItem<import("./liveAttempts.js").Attempt[]>} */
    attempts: withMemory(item("liveAttempts")),
  };
}

/**
 * @param {StorageArea} area that is gone with the browser
 * @param {boolean} isSharedComputer whether nothing may be kept at all
 */
export function makeSession(area, isSharedComputer) {
  const item = itemsOf(area, isSharedComputer);
  return {
    /** @type {StorageItem<FormDraft>} */
    draft: item("draft"),
    /** @type {StorageItem<string>} */
    typedCode: item("typed"),
    /** @type {StorageItem<PendingWrite>} */
    outbox: item("outbox"),
    /** @type {StorageItem<import("./reading.js").LoadAttempt>} */
    loadAttempt: item("asked"),
    /** @type {StorageItem<StoredCode>} */
    savedCode: item("written"),
    /** @type {StorageItem<StoredText>} */
    loadedText: item("shown"),
    tab: tabItem(area),
    notice: noticeItem(area),
    backgroundWrite: backgroundWriteItem(area),
  };
}

/**
 * A full area must not keep anybody from saving or reading.
 * @template T
 * @param {StorageItem<T>} slot
 * @returns {StorageItem<T>}
 */
function ignoreQuota(slot) {
  return { get: slot.get, set: (value) => slot.set(value).catch(() => {}) };
}
