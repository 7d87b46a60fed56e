/** The field of a new text, and how much of the service's limit it takes. */

import { bytesOf } from "../core/limits.js";
import { setDirection } from "./direction.js";
import { byPart } from "./dom.js";

// Whoever is far from the limit need not know of it.
const COUNTED_FROM = 0.8;
const LINE_BREAK = /\r\n?/g;

/**
 * @param {HTMLElement} root
 * @param {import("./i18n.js").I18n} i18n
 * @param {() => void} onFinish told when a user has pressed Enter with Ctrl, or with the command key
 */
export function makeTextField(root, i18n, onFinish) {
  /** @type {HTMLTextAreaElement} */
  const field = byPart(root, "text");
  const counter = byPart(root, "counter");
  let maxBytes = Infinity;
  // What was put there, as it was: a field turns CRLF into LF.
  let original = "";

  /** Values of a message that names the limit. @type {import("./i18n.js").Values} */
  const maxSize = (translator) => ({ most: translator.size(maxBytes) });

  function update() {
    setDirection(field);
    const bytes = bytesOf(field.value);
    counter.hidden = bytes < maxBytes * COUNTED_FROM;
    counter.classList.toggle("over", bytes > maxBytes);
    i18n.setText(counter, "counter", (translator) => ({ size: translator.size(bytes), ...maxSize(translator) }));
  }

  field.addEventListener("input", update);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    onFinish();
  });
  return {
    field,
    update,
    maxSize,

    /** The text, with the line breaks that it came with as long as nobody has changed it. */
    get value() {
      return original.replace(LINE_BREAK, "\n") === field.value ? original : field.value;
    },

    /** @param {string} text */
    set(text) {
      original = text;
      field.value = text;
      update();
    },

    get maxBytes() {
      return maxBytes;
    },

    get isTooLarge() {
      return bytesOf(this.value) > maxBytes;
    },

    /** @param {number} bytes */
    setMaxBytes(bytes) {
      maxBytes = bytes;
      update();
    },

    /** Put a text in the place of the selection, as typing it would. @param {string} text */
    insert(text) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    },
  };
}
