/** Live codes: the number of a meeting and four letters that never leave the two computers, `7 wUrp`. */

import { readCode } from "./codes.js";

/** @typedef {{number: number, letters: string}} LiveCode */

const BEGINNING = /^[\s\p{P}\p{Cf}]*([1-9]\d{0,3})(?!\d)[\s\p{P}\p{Cf}]*(?=\D)/u;
const BEGINS_WITH_DIGIT = /^[\s\p{P}\p{Cf}]*\d/u;

/**
 * Read a live code as a user types or pastes it. What comes after the number is read as `readCode` reads a code, but
 * not as a link.
 * @param {string} given
 * @param {string} [typed] the letters of the keys that were pressed, where they were seen
 * @returns {LiveCode | null} null where this is none
 */
export function readLiveCode(given, typed = "") {
  const plain = given.normalize("NFKC");
  const [beginning, number] = BEGINNING.exec(plain) ?? [];
  const rest = beginning === undefined ? "" : plain.slice(beginning.length);
  // A digit belongs to no letters: `7 wUrp 8` is something else.
  const letters = /[\d#]/.test(rest) ? null : readCode(rest, typed);
  return letters ? { number: Number(number), letters } : null;
}

/** @param {LiveCode} code */
export const formatLiveCode = ({ number, letters }) => `${number} ${letters}`;

/**
 * Whether a number comes first, so that what follows may be the letters of a live code. Such letters must never be sent
 * to the service, also where `readLiveCode` cannot read them. A link whose host is a number is no such thing.
 * @param {string} given
 */
export const startsWithNumber = (given) => BEGINS_WITH_DIGIT.test(given.normalize("NFKC")) && !given.includes("/#");
