/** The code: four ASCII letters that name a text; case matters. */

import { keysFor } from "./keyboardLayouts.js";
import { findCodes, normalizeText, otherWords, saidPart } from "./codeSearch.js";

/** How many letters a code has. */
export const LENGTH = 4;

const CODE_PATTERN = /^[a-zA-Z]{4}$/;
const EDGES = /^[\s\p{P}]+|[\s\p{P}]+$/gu;
const SPACES = /\s+/gu;
// Four characters, at least one of them a digit.
const DIGIT_IN_CODE = /(?<![\p{L}\p{N}])(?=[a-zA-Z]*\d)[a-zA-Z\d]{4}(?![\p{L}\p{N}])/u;
// Cyrillic letters that look like Latin ones: what is meant is the shape or the key, and nobody can tell which.
const LOOK_ALIKES = /^[АВСЕНКМОРТХУасеорхуіјѕІЈЅ]+$/u;
const NATO =
  "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu".split(
    " ",
  );
const LETTERS = new Map(NATO.map((word) => [word, word[0]]));
LETTERS.set("alpha", "a").set("juliet", "j").set("x-ray", "x");
const LOWER_WORDS = new Set(["small", "lower", "lowercase", "소문자"]);
const UPPER_WORDS = new Set(["big", "capital", "cap", "upper", "uppercase", "대문자"]);
// "lower case" and "upper-case" are one word each.
const SPLIT_CASE_WORD = /(lower|upper)[\s\p{Pd}]+(?=case(?!\p{L}))/giu;
// Korean needs no space between the two.
const KOREAN_CASE_WORD = /(소문자|대문자)/gu;

/**
 * One letter of a code, for reading it aloud.
 * @typedef {{letter: string, big: boolean, word: string}} Spelled
 */

/**
 * The key of a message and what makes its values in a language.
 * @typedef {[key: string, values?: (translator: {count: (key: string, amount: number) => string}) => Record<string, string>]} Reason
 */

/**
 * Read a code as a user types or pastes it: with spaces, in full-width
 * letters, as a link, among other words, spelled ("small w, BIG U, …",
 * "whiskey UNIFORM …"), or typed while a Russian or Korean keyboard was on.
 * @param {string} given
 * @param {string} [typed] the letters of the keys that were pressed, where they were seen
 * @returns {string | null} the code, or null where this is none
 */
export function readCode(given, typed = "") {
  const plain = normalizeText(given);
  if (plain.split("#").length > 2) return readSingleCode(plain);
  const shown = plain.slice(plain.lastIndexOf("#") + 1);
  const letters = shown.replace(SPACES, "");
  if (CODE_PATTERN.test(letters)) return letters;
  return readSpelled(plain) ?? readKeys(letters, typed) ?? readSingleCode(plain);
}

/**
 * Why a text is no code: the key of the message that says it, and its values.
 * @param {string} given that `readCode` has refused
 * @returns {Reason}
 */
export function whyNoCode(given) {
  const plain = normalizeText(given);
  if (LOOK_ALIKES.test(plain.replace(SPACES, ""))) return ["look_alike_code"];
  if (findCodes(plain).length > 1) return ["two_codes"];
  const said = saidPart(plain);
  if (DIGIT_IN_CODE.test(said) || DIGIT_IN_CODE.test(said.replace(SPACES, ""))) return ["code_digits"];
  const count = countLetters(said);
  if (count === 0 || count === LENGTH) return ["bad_code"];
  return ["code_length", (translator) => ({ letters: translator.count("code_length", count) })];
}

/** How many letters somebody took for a code; 0 where it is something else. @param {string} said */
function countLetters(said) {
  const [first = "", ...others] = said.split(/[\s\p{P}\p{S}]+/u);
  const isOneWord = others.length === 0 || [first, ...others].every((word) => word.length === 1);
  const letters = isOneWord ? [first, ...others].join("") : (spelledLetters(said) ?? "");
  return /^[a-zA-Z]+$/.test(letters) ? letters.length : 0;
}

/**
 * Whether a text is nothing but a code, or one link to it: it was not meant to be saved as a text. Links to other
 * services are texts, and so is every other address with a `#` in it.
 * @param {string} given
 * @param {string} base the address of the service, ending with a slash
 */
export function isNothingButCode(given, base) {
  const plain = normalizeText(given).trim();
  const isLink = plain.startsWith(`${base}#`) && !/\s/.test(plain);
  return readCode(plain) !== null && (isLink || CODE_PATTERN.test(plain.replace(EDGES, "")));
}

/** @param {string} plain */
function readSingleCode(plain) {
  const [code, ...others] = findCodes(plain);
  if (code === undefined || others.length > 0) return null;
  // Half of a spelled code: "papa" is one of its words then.
  const isSpelling = !plain.includes("#") && otherWords(plain, code).some(isSpellingWord);
  return isSpelling ? null : code;
}

/** @param {string} word */
function isSpellingWord(word) {
  const lower = word.toLowerCase();
  return LOWER_WORDS.has(lower) || UPPER_WORDS.has(lower) || (LETTERS.has(lower) && lower.length > 1);
}

/** @param {string} shown @param {string} typed */
function readKeys(shown, typed) {
  const keys = keysFor(shown);
  if (!keys) return null;
  // What is shown tells which keys; only the keys themselves may tell the case.
  const isSeen = keys.letters.toLowerCase() === typed.toLowerCase();
  const code = isSeen ? typed : keys.letters;
  return (isSeen || (keys.certain && !LOOK_ALIKES.test(shown))) && CODE_PATTERN.test(code) ? code : null;
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

/** @param {string} plain */
function readSpelled(plain) {
  const letters = spelledLetters(saidPart(plain)) ?? "";
  return CODE_PATTERN.test(letters) ? letters : null;
}

/** The letters that are spelled, however many; null where a word is no part of a spelling. @param {string} said */
function spelledLetters(said) {
  let letters = "";
  /** @type {boolean | null} */
  let asked = null;
  const words = said.replace(SPLIT_CASE_WORD, "$1").replace(KOREAN_CASE_WORD, " $1 ");
  for (const word of words.split(/[\s,.;·()]+/u).filter(Boolean)) {
    const lower = word.toLowerCase();
    if (LOWER_WORDS.has(lower) || UPPER_WORDS.has(lower)) {
      if (asked !== null) return null;
      asked = UPPER_WORDS.has(lower);
      continue;
    }
    const letter = letterOf(word, asked);
    if (letter === null) return null;
    letters += letter;
    asked = null;
  }
  return asked === null ? letters : null;
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
