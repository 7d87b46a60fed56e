/** The password of a new text: typed, or a phrase of easy words. */

import { makeToggle, byPart } from "./dom.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./translator.js").Translator} options.translator
 * @param {() => Promise<string[]>} options.wordList
 * @param {() => void} options.changed
 */
export function makePassword({ root, translator, wordList, changed }) {
  /** @type {HTMLInputElement} */
  const field = byPart(root, "password");
  /** @type {HTMLButtonElement} */
  const button = byPart(root, "phrase");
  const strength = byPart(root, "phrase-strength");
  const toggle = makeToggle(field, byPart(root, "show-password"), translator);
  let phrase = "";

  function forget() {
    phrase = "";
    translator.clearText(strength);
    toggle.hide();
  }

  async function generate() {
    button.disabled = true;
    try {
      // Only when it is wanted: its loss must not stop the saving.
      const [{ WORDS, bitsOf, makePhrase }, words] = await Promise.all([import("../core/phrase.js"), wordList()]);
      phrase = makePhrase(words);
      field.value = phrase;
      // It has to be read to be told.
      toggle.show();
      tell(WORDS, words.length, bitsOf(words.length));
      changed();
      field.focus();
    } catch {
      translator.setText(strength, "phrase_failed");
    } finally {
      button.disabled = false;
    }
  }

  /** @param {number} chosen @param {number} amount @param {number} bits */
  function tell(chosen, amount, bits) {
    translator.setText(strength, "phrase_strength", (i18n) => ({
      words: i18n.number(chosen),
      list: i18n.number(amount),
      bits: i18n.number(bits),
    }));
  }

  button.addEventListener("click", generate);
  field.addEventListener("input", () => {
    // Of what a person makes up nobody knows how strong it is.
    phrase = "";
    translator.clearText(strength);
    changed();
  });
  return {
    field,
    forget,
    /** While a text is on its way its password stays what it is. @param {boolean} isHeld */
    hold(isHeld) {
      field.readOnly = isHeld;
      button.disabled = isHeld;
    },
    /** The phrase in the field; "" where a person has typed something else. */
    get phrase() {
      return phrase;
    },
  };
}
