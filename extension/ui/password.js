/** The password of a new text: typed, or a phrase of easy words. */

import { WORDS, bitsOf, makePhrase } from "../core/phrase.js";
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
      const words = await wordList();
      phrase = makePhrase(words);
      field.value = phrase;
      // It has to be read to be told.
      toggle.show();
      tell(words.length);
      changed();
      field.focus();
    } catch {
      labels.put(strength, "phrase_failed");
    } finally {
      button.disabled = false;
    }
  }

  /** @param {number} amount */
  function tell(amount) {
    labels.put(strength, "phrase_strength", (words) => ({
      words: words.number(WORDS),
      list: words.number(amount),
      bits: words.number(bitsOf(amount)),
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
