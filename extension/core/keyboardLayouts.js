/** Which keys of a QWERTY keyboard were pressed while another layout was on. */

// Russian, ЙЦУКЕН.
const CYRILLIC = pairs("йцукенгшщзфывапролдячсмитьЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ", "qwertyuiopasdfghjklzxcvbnm");
// Korean, 2-set (KS X 5002): the jamo in the order of Unicode, initial, medial and final.
const INITIAL = "r R s e E f a q Q t T d w W c z x v g".split(" ");
const MEDIAL = "k o i O j p u P h hk ho hl y n nj np nl b m ml l".split(" ");
const FINAL = "r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g".split(" ");
const JAMO = new Map([...jamo(0x1100, INITIAL), ...jamo(0x1161, MEDIAL), ...jamo(0x11a8, FINAL)]);
// Keys whose jamo is the same with Shift: nobody can tell whether the letter is big.
const SAME_WITH_SHIFT = /[yuiasdfghjklzxcvbnm]/;

/**
 * The keys behind a text; `certain`: whether their case is known too.
 * @typedef {{letters: string, certain: boolean}} Keys
 */

/**
 * The keys that were pressed for a text in Cyrillic letters or in Hangul, or null for any other text.
 * @param {string} given
 * @returns {Keys | null}
 */
export function keysFor(given) {
  return cyrillic(given) ?? hangul(given);
}

/** Latin letters are none of it: one between Cyrillic ones only looks like them. @param {string} given */
function cyrillic(given) {
  const letters = [...given].map((letter) => CYRILLIC.get(letter));
  return letters.length > 0 && !letters.includes(undefined) ? { letters: letters.join(""), certain: true } : null;
}

/** @param {string} given */
function hangul(given) {
  let letters = "";
  let certain = true;
  for (const part of given.normalize("NFKD")) {
    const keys = JAMO.get(part);
    if (keys === undefined && !/^[a-zA-Z]$/.test(part)) return null;
    certain &&= keys === undefined || !SAME_WITH_SHIFT.test(keys);
    letters += keys ?? part;
  }
  return letters === "" ? null : { letters, certain };
}

/** @param {string} shown @param {string} keys @returns {Map<string, string>} */
function pairs(shown, keys) {
  const both = keys + keys.toUpperCase();
  return new Map([...shown].map((letter, place) => [letter, both[place]]));
}

/** @param {number} first @param {string[]} keys @returns {[string, string][]} */
function jamo(first, keys) {
  return keys.map((pressed, place) => [String.fromCodePoint(first + place), pressed]);
}
