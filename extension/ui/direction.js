/** Which way a text runs in its field: Hebrew and Arabic from the right. */

// Up to here every line runs its own way. Chromium works that out anew with each
// key, which takes 14 s in a text of 1 MiB; a longer text runs as it begins.
const MAX_LENGTH_BY_LINE = 20_000;
const FIRST_LETTER = /\p{L}/u;
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/**
 * The `dir` of a field that holds this text.
 * @param {string} text
 * @returns {"auto" | "rtl" | "ltr"}
 */
export function directionOf(text) {
  if (text.length <= MAX_LENGTH_BY_LINE) return "auto";
  return RIGHT_TO_LEFT.test(FIRST_LETTER.exec(text)?.[0] ?? "") ? "rtl" : "ltr";
}

/** Let a field run as its text does. @param {HTMLTextAreaElement} field */
export function setDirection(field) {
  const direction = directionOf(field.value);
  if (field.dir !== direction) field.dir = direction;
}
