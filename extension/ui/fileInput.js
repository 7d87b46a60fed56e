/** A text file in the place of typing: chosen, or dropped anywhere on the page. */

import { decodeTextFile } from "../core/textFile.js";
import { byPart } from "./dom.js";

// UTF-16, in which a file may come, takes at most twice what UTF-8 takes.
const MAX_ENCODING_RATIO = 2;

/** @typedef {ReturnType<typeof import("./textField.js").makeTextField>} TextField */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {TextField} options.text
 * @param {ReturnType<typeof import("./alert.js").makeAlert>} options.alert
 * @param {() => boolean} options.isReady whether the form is there to take a text
 */
export function makeFileInput({ root, text, alert, isReady }) {
  /** @type {HTMLInputElement} */
  const input = byPart(root, "file");
  const hint = byPart(root, "drop-hint");
  const { field } = text;

  /** @param {File} file */
  async function take(file) {
    alert.clear();
    if (field.value) return alert.show("file_over_text", undefined, field);
    if (file.size > text.maxBytes * MAX_ENCODING_RATIO) return alert.show("too_large", text.maxSize, field);
    try {
      text.set(decodeTextFile(new Uint8Array(await file.arrayBuffer())));
    } catch {
      // A folder cannot be read at all.
      return alert.show("not_a_text_file", undefined, field);
    }
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return field.focus();
  }

  /** @param {DragEvent} event */
  const hasFile = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

  /** @param {DragEvent} event */
  function onDragOver(event) {
    if (!hasFile(event)) return;
    // The browser would open it in the place of the page.
    event.preventDefault();
    hint.hidden = !isReady();
  }

  /** @param {DragEvent} event */
  function onDrop(event) {
    hint.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (!hasFile(event)) return;
    event.preventDefault();
    if (file && isReady()) take(file);
  }

  document.addEventListener("dragover", onDragOver);
  document.addEventListener("dragleave", (event) => void (hint.hidden = event.relatedTarget === null || hint.hidden));
  document.addEventListener("drop", onDrop);
  byPart(root, "choose-file").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    // The same file may be chosen again.
    if (file) take(file).finally(() => void (input.value = ""));
  });
}
