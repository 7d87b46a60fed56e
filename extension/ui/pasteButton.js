/** Saves what is in the clipboard with one press; there only while the field is empty. */

import { shortcut } from "./dom.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.button
 * @param {ReturnType<typeof import("./textField.js").makeTextField>} options.text
 * @param {(() => Promise<string>) | undefined} options.paste what is in the clipboard, where it can be read
 * @param {() => void} options.onPasted
 * @param {(key: string, values?: import("./i18n.js").Values) => void} options.onFailed
 * @returns {() => void} shows the button or hides it, after the field was changed by the program
 */
export function makePasteButton({ button, text, paste, onPasted, onFailed }) {
  const { field } = text;
  const update = () => void (button.hidden = !paste || field.value !== "");

  button.addEventListener("click", async () => {
    if (!paste) return;
    try {
      text.insert(await paste());
    } catch {
      onFailed("paste_failed", () => ({ keys: shortcut("V") }));
      return;
    }
    if (field.value) onPasted();
    else onFailed("paste_empty");
  });
  field.addEventListener("input", update);
  update();
  return update;
}
