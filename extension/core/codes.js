/** The code: four ASCII letters that name a text; case matters. */

import { keysOf } from "./layouts.js";

/** How many letters a code has. */
export const LENGTH = 4;

const SHAPE = /^[a-zA-Z]{4}$/;
// Zero-width characters come along when a code is copied from a chat or a document.
const SPACES = /[\s\u200b-\u200d\u2060\ufeff]+/gu;
const NATO =
  "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu".split(
    " ",
  );
const LETTERS = new Map(NATO.map((word) => [word, word[0]]));
LETTERS.set("alpha", "a").set("juliet", "j").set("x-ray", "x");
const SMALL = new Set(["small", "소문자"]);
// Korean needs no space between the two.
const SAID_TOGETHER = /(소문자|대문자)/gu;
const BIG = new Set(["big", "capital", "대문자"]);

/**
 * One letter of a code, for reading it aloud.
 * @typedef {{letter: string, big: boolean, word: string}} Spelled
 */

/**
 * Read a code as a person types or pastes it: with spaces, in full-width
 * letters, as a link, spelled ("small w, BIG U, …", "whiskey UNIFORM …"), or
 * typed while a Russian or Korean keyboard was on.
 * @param {string} given
 * @param {string} [typed] the letters of the keys that were pressed, where they were seen
 * @returns {string | null} the code, or null where this is none
 */
export function readCode(given, typed = "") {
  const plain = given.normalize("NFKC");
  const shown = plain.slice(plain.lastIndexOf("#") + 1);
  const letters = shown.replace(SPACES, "");
  if (SHAPE.test(letters)) return letters;
  return readSpelled(shown) ?? readKeys(letters, typed);
}

/** @param {string} shown @param {string} typed */
function readKeys(shown, typed) {
  const keys = keysOf(shown);
  if (!keys) return null;
  // What is shown tells which keys; only the keys themselves may tell the case.
  const isSeen = keys.letters.toLowerCase() === typed.toLowerCase();
  const code = isSeen ? typed : keys.letters;
  return (isSeen || keys.certain) && SHAPE.test(code) ? code : null;
}

/**
 * Spell a code: the letter, its case and its word in the NATO alphabet.
 * @param {string} code
 * @returns {Spelled[]}
 */
export function spell(code) {
  return [...code].map((letter) => {
    const big = letter === letter.toUpperCase();
    const word = NATO[letter.toLowerCase().charCodeAt(0) - 97];
    return { letter, big, word: big ? word.toUpperCase() : word };
  });
}

/** @param {string} shown */
function readSpelled(shown) {
  let code = "";
  /** @type {boolean | null} */
  let asked = null;
  for (const word of shown.replace(SAID_TOGETHER, " $1 ").split(/[\s,.;·()]+/u).filter(Boolean)) {
    const lower = word.toLowerCase();
    if (SMALL.has(lower) || BIG.has(lower)) {
      if (asked !== null) return null;
      asked = BIG.has(lower);
      continue;
    }
    const letter = letterOf(word, asked);
    if (letter === null) return null;
    code += letter;
    asked = null;
  }
  return asked === null && SHAPE.test(code) ? code : null;
}

/**
 * @param {string} word
 * @param {boolean | null} big null where only the word itself tells its case
 */
function letterOf(word, big) {
  const lower = word.toLowerCase();
  const letter = /^[a-z]$/.test(lower) ? lower : LETTERS.get(lower);
  if (letter === undefined) return null;
  if (big !== null) return big ? letter.toUpperCase() : letter;
  if (word === lower) return letter;
  // "Whiskey" may be a small w at the start of a sentence: no guess is made.
  return word === word.toUpperCase() ? letter.toUpperCase() : null;
}
