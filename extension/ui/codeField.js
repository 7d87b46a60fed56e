/** A code field that takes the letters of the keys, whichever keyboard layout is on, and tells when a code is complete. */

import { LENGTH, readCode } from "../core/codes.js";
import { readLiveCode } from "../core/liveCodes.js";

const LETTER_KEY = /^Key([A-Z])$/;
const LATIN = /^\p{Script=Latin}$/u;
const ONE_LETTER = /^\p{L}$/u;
const COMPLETE = new RegExp(`^(?:[1-9]\\d{0,3}[\\s\\p{P}]*)?[a-zA-Z]{${LENGTH}}$`, "u");
const BEGINNING = new RegExp(`^(?:[1-9]\\d{0,3} ?)?\\p{L}{0,${LENGTH}}$`, "u");
// A moment for Backspace, in ms: each wrong code counts as a guess.
const COMPLETE_DELAY = 700;

/**
 * @param {HTMLInputElement} field
 * @param {object} events
 * @param {() => void} events.onComplete told when four letters stand there, typed or pasted, or a number and four letters
 * @param {() => void} events.onChange
 * @param {(text: string) => void} events.onText takes what is no code and was typed with no field in focus
 */
export function makeCodeField(field, { onComplete, onChange, onText }) {
  // The keys behind what an input method composes, Hangul for one: it does not show which letters are big.
  let typedLetters = "";
  // Whether the focus came with a key that no field was to get.
  let isRedirected = false;
  let timer = 0;

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

  /** @param {Event} event */
  function onInput(event) {
    clearTimeout(timer);
    const { isComposing, inputType } = /** @type {InputEvent} */ (event);
    onChange();
    if (isComposing) return;
    if (isRedirected && !BEGINNING.test(field.value)) return giveAway();
    if (COMPLETE.test(field.value)) timer = window.setTimeout(onComplete, inputType === "insertFromPaste" ? 0 : COMPLETE_DELAY);
  }

  /** More than a code: whoever types it means a text. */
  function giveAway() {
    const text = field.value;
    field.value = "";
    isRedirected = false;
    onChange();
    onText(text);
  }

  field.addEventListener("keydown", onKeyDown);
  field.addEventListener("input", onInput);
  field.addEventListener("blur", () => void (isRedirected = false));
  // Enter was faster.
  field.form?.addEventListener("submit", () => {
    clearTimeout(timer);
    isRedirected = false;
  });
  return {
    /** @returns {string | null} the code in the field, or null where there is none */
    read: () => readCode(field.value, typedLetters),

    /** The live code in the field, or null where there is none. */
    readLive: () => readLiveCode(field.value, typedLetters),

    /** Another code than the typed one stands there now. */
    keepFromOpening: () => clearTimeout(timer),

    /** Take a key that is being pressed with no field in focus. @param {KeyboardEvent} event */
    focusForTyping(event) {
      const isEmpty = field.value === "";
      field.focus();
      isRedirected = isEmpty && document.activeElement === field;
      // The field itself does not see this one.
      onKeyDown(event);
    },
  };
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
