/** The password of a new text: typed, or a phrase of easy words. */

import { makeToggle, part } from "./dom.js";

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {() => Promise<string[]>} wiring.wordList
 * @param {() => void} wiring.changed
 */
export function makePassword({ root, labels, wordList, changed }) {
  /** @type {HTMLInputElement} */
  const field = part(root, "password");
  /** @type {HTMLButtonElement} */
  const button = part(root, "phrase");
  const strength = part(root, "phrase-strength");
  const toggle = makeToggle(field, part(root, "show-password"), labels);
  let phrase = "";

  function forget() {
    phrase = "";
    labels.clear(strength);
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
      labels.put(strength, "phrase_failed");
    } finally {
      button.disabled = false;
    }
  }

  /** @param {number} chosen @param {number} amount @param {number} bits */
  function tell(chosen, amount, bits) {
    labels.put(strength, "phrase_strength", (words) => ({
      words: words.number(chosen),
      list: words.number(amount),
      bits: words.number(bits),
    }));
  }

  button.addEventListener("click", generate);
  field.addEventListener("input", () => {
    // Of what a person makes up nobody knows how strong it is.
    phrase = "";
    labels.clear(strength);
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
