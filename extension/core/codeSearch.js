/** A code among what people paste with it: a link, quotation marks, a full stop, a word of thanks. */

// Marks without a shape come along from chats and documents.
const INVISIBLE = /\p{Cf}/gu;
const ESCAPED = /%[0-9a-f]{2}/i;
const LABEL = /(?<![\p{L}\p{N}])(?:code|코드)\s*:/giu;
const ADDRESS = /\p{L}+:\/\/\S*/gu;
const IN_LINK = /#\s*([a-zA-Z]{4})(?![\p{L}\p{N}\p{M}])/gu;
const SEALED_LINK = /#([a-zA-Z]{4})\.sealed(?![\p{L}\p{N}\p{M}])/u;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const SHAPE = /^[a-zA-Z]{4}$/;
const ONE_BY_ONE = /^[a-zA-Z](?:[\s\p{P}]+[a-zA-Z]){3}$/u;
const EDGES = /^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$/gu;

/**
 * What was pasted, without invisible marks, full-width letters and percent-encoding.
 * @param {string} given
 */
export function normalizeText(given) {
  return percentDecoded(given).normalize("NFKC").replace(INVISIBLE, "");
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
 * The codes that may be meant: those of links if there is one, else all words of four ASCII letters. One is a code,
 * two or more are ambiguous.
 * @param {string} plain as `plainOf` gives it
 * @returns {string[]} each once
 */
export function findCodes(plain) {
  const linked = [...plain.matchAll(IN_LINK)].map(([, code]) => code);
  if (linked.length > 0) return [...new Set(linked)];
  const written = plain.replace(ADDRESS, " ").replace(LABEL, " ");
  const bare = written.replace(EDGES, "");
  if (ONE_BY_ONE.test(bare)) return [bare.replace(/[\s\p{P}]+/gu, "")];
  return [...new Set((written.match(WORD) ?? []).filter((word) => SHAPE.test(word)))];
}

/** All words of a text but one. @param {string} plain @param {string} code */
export function otherWords(plain, code) {
  return (plain.match(WORD) ?? []).filter((word) => word !== code);
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
 * What stands after the `#` of a link to a text.
 * @param {string} code
 * @param {boolean} isSealed whoever opens the link then takes nothing but a sealed text
 */
export function linkFragment(code, isSealed) {
  return isSealed ? `${code}.sealed` : code;
}
