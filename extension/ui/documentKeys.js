/** Keys, pastes and copies that reach no field: a code opens, a text is taken, what is shown is copied. */

import { isNothingButCode } from "../core/codes.js";

const ONE_CHARACTER = /^\S$/u;
const EDITABLE = "textarea, input, select, [contenteditable], dialog[open], dialog[open] *";

// It can only be read, and is where the focus is when the next code comes.
const LOADED_TEXT = "loaded-text";

/** @typedef {{text: string, shownAt: number, done: () => void} | null} Copied `shownAt` in ms, by the page's own clock */

/**
 * @param {Document} document
 * @param {object} panels
 * @param {{focusForTyping: (event: KeyboardEvent) => void, openPasted: (given: string) => void, copied: () => Copied}} panels.load
 * @param {{insert: (text: string) => void, copied: () => Copied}} panels.save
 * @param {object} options
 * @param {string} options.base the address of the service
 * @param {() => void} [options.onTaken] called before a panel gets something, to bring it into sight
 */
export function listenToDocument(document, { load, save }, { base, onTaken = () => {} }) {
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isEditable(event.target)) return;
    // The key itself goes where the focus is by then.
    if (!ONE_CHARACTER.test(event.key) && event.key !== "Process") return;
    onTaken();
    load.focusForTyping(event);
  }

  /** @param {ClipboardEvent} event */
  function onPaste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (event.defaultPrevented || isEditable(event.target) || text === "") return;
    event.preventDefault();
    onTaken();
    if (isNothingButCode(text, base)) load.openPasted(text);
    else save.insert(text);
  }

  /** @param {ClipboardEvent} event */
  function onCopy(event) {
    const [copied] = [load.copied(), save.copied()].filter((each) => each !== null).sort((a, b) => b.shownAt - a.shownAt);
    if (event.defaultPrevented || !copied || isSomethingSelected(document)) return;
    event.clipboardData?.setData("text/plain", copied.text);
    event.preventDefault();
    copied.done();
  }

  document.addEventListener("keydown", onKeyDown);
  document.addEventListener("paste", onPaste);
  document.addEventListener("copy", onCopy);
}

/** @param {EventTarget | null} target */
const isEditable = (target) =>
  target instanceof Element && target.matches(EDITABLE) && target.getAttribute("data-part") !== LOADED_TEXT;

/** @param {Document} document */
function isSomethingSelected(document) {
  const { activeElement } = document;
  if (activeElement instanceof HTMLTextAreaElement || activeElement instanceof HTMLInputElement) {
    return activeElement.selectionStart !== activeElement.selectionEnd;
  }
  return document.getSelection()?.isCollapsed === false;
}
