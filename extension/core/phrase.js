/** A password made of easy words, picked at random. */

/** How many words a phrase has. */
export const WORD_COUNT = 5;

const RANGE = 2 ** 16;

/** @typedef {(into: Uint16Array<ArrayBuffer>) => Uint16Array} Random fills an array */

/**
 * Pick a phrase. The words are to be distinct; each is as likely as any other.
 * @param {string[]} words at most 65,536
 * @param {Random} [random]
 * @returns {string}
 */
export function makePhrase(words, random = (into) => globalThis.crypto.getRandomValues(into)) {
  return Array.from({ length: WORD_COUNT }, () => words[randomBelow(words.length, random)]).join(" ");
}

/**
 * How strong a phrase is that was picked from so many words: the bits that a guesser has to find.
 * @param {number} words
 */
export function bitsOf(words) {
  return Math.floor(WORD_COUNT * Math.log2(words));
}

/** @param {number} bound @param {Random} random */
function randomBelow(bound, random) {
  // What lies above the last whole multiple would make the first words likelier.
  const fair = RANGE - (RANGE % bound);
  for (;;) {
    const [value] = random(new Uint16Array(1));
    if (value < fair) return value % bound;
  }
}
