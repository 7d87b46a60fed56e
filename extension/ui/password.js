/** The password of a new text: typed, or a phrase of easy words. */

import { makePasswordToggle, byPart } from "./dom.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => Promise<string[]>} options.wordList
 * @param {() => void} options.onChange
 */
export function makePasswordField({ root, i18n, wordList, onChange }) {
  /** @type {HTMLInputElement} */
  const field = byPart(root, "password");
  /** @type {HTMLButtonElement} */
  const button = byPart(root, "phrase");
  const strength = byPart(root, "phrase-strength");
  const toggle = makePasswordToggle(field, byPart(root, "show-password"), i18n);
  let phrase = "";

  function clear() {
    phrase = "";
    i18n.clearText(strength);
    toggle.hide();
  }

  async function generate() {
    button.disabled = true;
    try {
      // Only when it is wanted: its loss must not stop the saving.
      const [{ makePhrase }, words] = await Promise.all([import("../core/phrase.js"), wordList()]);
      phrase = makePhrase(words);
      field.value = phrase;
      // It has to be read to be told.
      toggle.show();
      i18n.setText(strength, "phrase_strength");
      onChange();
      field.focus();
    } catch {
      i18n.setText(strength, "phrase_failed");
    } finally {
      button.disabled = false;
    }
  }

  button.addEventListener("click", generate);
  field.addEventListener("input", () => {
    // Of what a user makes up nobody knows how strong it is.
    phrase = "";
    i18n.clearText(strength);
    onChange();
  });
  return {
    field,
    clear,
    /** While a text is on its way its password stays what it is. @param {boolean} isReadOnly */
    setReadOnly(isReadOnly) {
      field.readOnly = isReadOnly;
      button.disabled = isReadOnly;
    },
    /** The phrase in the field; "" where a user has typed something else. */
    get phrase() {
      return phrase;
    },
  };
}
