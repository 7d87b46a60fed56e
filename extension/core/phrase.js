/** A password made of easy words, picked at random. */

/** How many words a phrase has. */
export const WORD_COUNT = 5;

const RANGE = 2 ** 16;
const INVISIBLE = /\p{Cf}/gu;
const BETWEEN_WORDS = /[\s\p{Pd}_.,]+/u;

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
 * The phrase that is meant by another spelling of it: "Thaw-react, slum bask  Motto". Anything but five words of the
 * list comes back as it is.
 * @param {string} input
 * @param {string[]} words the list that phrases are made of
 * @returns {string}
 */
export function normalizePhrase(input, words) {
  const found = joinHyphenated(splitWords(input), new Set(words));
  return found?.length === WORD_COUNT ? found.join(" ") : input;
}

/**
 * Make `normalizePhrase` of a list that is loaded only where it can change something. Where it cannot be loaded a
 * password stays as it is.
 * @param {() => Promise<string[]>} wordList
 * @returns {(password: string) => Promise<string>}
 */
export function makePasswordNormalizer(wordList) {
  return async (password) => {
    const parts = splitWords(password);
    const isNormal = parts.length === WORD_COUNT && parts.join(" ") === password;
    if (parts.length < WORD_COUNT || parts.length > 2 * WORD_COUNT || isNormal) return password;
    try {
      return normalizePhrase(password, await wordList());
    } catch {
      return password;
    }
  };
}

/** @param {string} input */
function splitWords(input) {
  return input.normalize("NFKC").replace(INVISIBLE, "").toLowerCase().split(BETWEEN_WORDS).filter(Boolean);
}

/**
 * The words of the list that these parts are; "yo-yo" was split at its hyphen. Null where a part belongs to none.
 * @param {string[]} parts
 * @param {Set<string>} words
 */
function joinHyphenated(parts, words) {
  const found = [];
  for (let place = 0; place < parts.length; place += 1) {
    const pair = `${parts[place]}-${parts[place + 1]}`;
    if (words.has(parts[place])) found.push(parts[place]);
    else if (words.has(pair)) {
      found.push(pair);
      place += 1;
    } else return null;
  }
  return found;
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
