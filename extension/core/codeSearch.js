/** A code among what people paste with it: a link, quotation marks, a full stop, a word of thanks. */

// Marks without a shape come along from chats and documents.
const INVISIBLE = /\p{Cf}/gu;
// What NFKC makes of an accent that was typed as a quotation mark.
const LOOSE_ACCENTS = /(?<=^|\s)\p{M}+/gu;
const ESCAPED = /%[0-9a-f]{2}/i;
// With a fragment, and a fragment alone: one that IN_LINK has not taken is a broken link, and its words are no codes.
// The lookbehinds of this and of EDGES keep a long text from being searched again from each of its letters.
const ADDRESS = /(?<!\p{L})\p{L}+:\/\/\S*|#\S+/gu;
const IN_LINK = /#\s*([a-zA-Z]{4})(?![\p{L}\p{N}\p{M}])/gu;
const SEALED_LINK = /#([a-zA-Z]{4})\.sealed(?![\p{L}\p{N}\p{M}])/u;
// One word may end a sentence: "#wUrp.sealed.thanks". A hyphen at the end is where a line was broken.
const PHRASE_IN_LINK =
  /#[a-zA-Z]{4}\.sealed\.([a-z]+(?:[-_][a-z]+)+)(?![\p{L}\p{N}\p{M}-]|_[\p{L}\p{N}])/gu;
// A phrase may begin with the word: "#wUrp.sealed.once-more".
const ONCE_LINK =
  /#[a-zA-Z]{4}(?:\.sealed)?(?:\.[a-z]+(?:[-_][a-z]+)+)?\.once(?![\p{L}\p{N}\p{M}]|[-_][\p{L}\p{N}])/u;
const PHRASE = /^[a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)+$/;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const SHAPE = /^[a-zA-Z]{4}$/;
const ONE_BY_ONE = /^[a-zA-Z](?:[\s\p{P}\p{S}]+[a-zA-Z]){3}$/u;
const GAPS = /[\s\p{P}\p{S}]+/gu;
const EDGES = /^[\s\p{P}\p{S}]+|(?<![\s\p{P}\p{S}])[\s\p{P}\p{S}]+$/gu;
// These scripts leave no space beside Latin letters: "wUrp입니다".
const SCRIPT_CHANGE =
  /(?<=[a-zA-Z])(?=[가-힣\p{sc=Hira}\p{sc=Kana}\p{sc=Han}])|(?<=[가-힣\p{sc=Hira}\p{sc=Kana}\p{sc=Han}])(?=[a-zA-Z])/gu;

// The word for a code has four letters itself.
const LABELS = new Set(["code", "Code", "CODE"]);
const LABEL_BEFORE = /^(?:code|코드)\s+/iu;
const LABEL_AND_COLON = /(?<![\p{L}\p{N}])(?:code|코드)[^\p{P}\p{S}\n]{0,40}[:=]/iu;
const LABEL_AND_VERB = /(?<![\p{L}\p{N}])(?:code\s+is|코드[는은])(?![\p{L}\p{N}])/iu;
const CLAUSE_END = /[\p{P}\p{S}\n]/u;

/**
 * What was pasted, without invisible marks, full-width letters and percent-encoding.
 * @param {string} given
 */
export function normalizeText(given) {
  return percentDecoded(given).normalize("NFKC").replace(INVISIBLE, "").replace(LOOSE_ACCENTS, "");
}

/** @param {string} given */
function percentDecoded(given) {
  if (!ESCAPED.test(given)) return given;
  try {
    return decodeURIComponent(given);
  } catch {
    return given;
  }
}

/**
 * The codes that may be meant: those of links if there is one, else the word that "code:" announces, else all words of
 * four ASCII letters. One is a code, two or more are ambiguous.
 * @param {string} plain as `normalizeText` gives it
 * @returns {string[]} each once
 */
export function findCodes(plain) {
  const linked = [...plain.matchAll(IN_LINK)].map(([, code]) => code);
  if (linked.length > 0) return [...new Set(linked)];
  const announced = announcedPart(plain);
  const [code, ...others] = announced === null ? [] : codesIn(announced);
  const isNext = code !== undefined && others.length === 0 && announced?.replace(GAPS, "").startsWith(code);
  return isNext ? [code] : codesIn(withoutAddresses(plain));
}

/**
 * What stands after "code:", "the code is" or "코드는"; null where nothing says so. Words before it are not meant, unless
 * one may be a code that was said already: "wUrp. The code is only for you".
 * @param {string} plain
 */
function announcedPart(plain) {
  const written = withoutAddresses(plain);
  const found = LABEL_AND_COLON.exec(written) ?? LABEL_AND_VERB.exec(written);
  if (!found) return null;
  const clauses = written.slice(0, found.index).split(CLAUSE_END).slice(0, -1);
  const isSaidBefore = !/[:=]$/.test(found[0]) && codesIn(clauses.join(" ")).length > 0;
  return isSaidBefore ? null : written.slice(found.index + found[0].length);
}

/**
 * The part that tells the code: what stands after the last `#`, after "code:", or all but the addresses.
 * @param {string} plain
 */
export function saidPart(plain) {
  const shown = plain.slice(plain.lastIndexOf("#") + 1);
  return (announcedPart(shown) ?? withoutAddresses(shown)).replace(EDGES, "").replace(LABEL_BEFORE, "");
}

/** All words but one that may belong to a code. @param {string} plain @param {string} code */
export function otherWords(plain, code) {
  return ((announcedPart(plain) ?? plain).match(WORD) ?? []).filter((word) => word !== code);
}

/** @param {string} plain */
function withoutAddresses(plain) {
  return plain.replace(ADDRESS, " ").replace(SCRIPT_CHANGE, " ");
}

/** @param {string} written @returns {string[]} each once */
function codesIn(written) {
  const bare = written.replace(EDGES, "").replace(LABEL_BEFORE, "");
  if (ONE_BY_ONE.test(bare)) return [bare.replace(GAPS, "")];
  const words = [...new Set((written.match(WORD) ?? []).filter((word) => SHAPE.test(word)))];
  const unlabelled = words.filter((word) => !LABELS.has(word));
  return unlabelled.length > 0 ? unlabelled : words;
}

/**
 * The code of a link that says that its text is sealed; null for anything else.
 * @param {string} given
 * @returns {string | null}
 */
export function codeOfSealedLink(given) {
  return SEALED_LINK.exec(normalizeText(given))?.[1] ?? null;
}

/**
 * The phrase of a link that carries one; null for anything else, also where there are two.
 * @param {string} given
 * @returns {string | null}
 */
export function phraseOfLink(given) {
  const [phrase, ...others] = new Set([...normalizeText(given).matchAll(PHRASE_IN_LINK)].map(([, words]) => words));
  if (phrase === undefined || others.length > 0) return null;
  return phrase.replaceAll("-", " ").replaceAll("_", "-");
}

/**
 * Whether a link says that its text can be read only once.
 * @param {string} given
 */
export const isOnceLink = (given) => ONCE_LINK.test(normalizeText(given));

/**
 * What a link says of its text. `isSealed`: whoever opens it then takes nothing but a sealed text; `phrase`: carried in
 * the link, "" for none, and left out where it is not words of small letters, as `phraseOfLink` reads.
 * @typedef {{isSealed?: boolean, once?: boolean, phrase?: string}} LinkMarks
 */

/**
 * What stands after the `#` of a link to a text.
 * @param {string} code
 * @param {LinkMarks} [marks]
 */
export function linkFragment(code, { isSealed = false, once = false, phrase = "" } = {}) {
  // The hyphen of "yo-yo" must not come out as a space.
  const words = phrase.replaceAll("-", "_").replaceAll(" ", "-");
  const hasPhrase = isSealed && PHRASE.test(phrase);
  return [code, ...(isSealed ? ["sealed"] : []), ...(hasPhrase ? [words] : []), ...(once ? ["once"] : [])].join(".");
}
