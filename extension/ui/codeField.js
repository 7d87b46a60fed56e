/** A code field that takes the letters of the keys, whichever keyboard layout is on. */

import { readCode } from "../core/codes.js";

const LETTER_KEY = /^Key([A-Z])$/;
const LATIN = /^\p{Script=Latin}$/u;
const ONE_LETTER = /^\p{L}$/u;

/**
 * @param {HTMLInputElement} field
 * @returns {{read: () => string | null}} `read`: the code in the field, or null where there is none
 */
export function makeCodeField(field) {
  // The keys behind what an input method composes, Hangul for one: it does not show which letters are big.
  let typedLetters = "";

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (field.value === "" && !event.isComposing) typedLetters = "";
    if (event.key === "Backspace") typedLetters = typedLetters.slice(0, -1);
    const letter = letterOfKey(event);
    if (letter === null) return;
    typedLetters += letter;
    if (isComposed(event) || !ONE_LETTER.test(event.key) || LATIN.test(event.key)) return;
    event.preventDefault();
    field.setRangeText(letter, field.selectionStart ?? 0, field.selectionEnd ?? 0, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  field.addEventListener("keydown", onKeyDown);
  return { read: () => readCode(field.value, typedLetters) };
}

/** @param {KeyboardEvent} event */
function letterOfKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  // A Latin layout says itself which letter it is, wherever its key lies.
  if (LATIN.test(event.key) && !isComposed(event)) return event.key;
  const [, letter] = LETTER_KEY.exec(event.code) ?? [];
  if (!letter) return null;
  return event.shiftKey === event.getModifierState("CapsLock") ? letter.toLowerCase() : letter;
}

/** @param {KeyboardEvent} event */
const isComposed = (event) => event.isComposing || event.key === "Process";
