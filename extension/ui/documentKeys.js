/** Keys, pastes and copies that reach no field: a code opens, a text is taken, what is shown is copied. */

import { isNothingButCode } from "../core/codes.js";

const LETTER = /^\p{L}$/u;
const EDITABLE = "textarea, input, select, [contenteditable], dialog[open], dialog[open] *";

// It can only be read, and is where the focus is when the next code comes.
const LOADED_TEXT = "loaded-text";

/** @typedef {{text: string, done: () => void} | null} Copied */

/**
 * @param {Document} document
 * @param {object} panels
 * @param {{focusForTyping: () => void, openPasted: (given: string) => void, copied: () => Copied}} panels.load
 * @param {{insert: (text: string) => void, copied: () => Copied}} panels.save
 */
export function listenToDocument(document, { load, save }) {
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isEditable(event.target)) return;
    // The key itself goes where the focus is by then.
    if (LETTER.test(event.key) || event.key === "Process") load.focusForTyping();
  }

  /** @param {ClipboardEvent} event */
  function onPaste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (event.defaultPrevented || isEditable(event.target) || text === "") return;
    event.preventDefault();
    if (isNothingButCode(text)) load.openPasted(text);
    else save.insert(text);
  }

  /** @param {ClipboardEvent} event */
  function onCopy(event) {
    const copied = load.copied() ?? save.copied();
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
