/** Which letters a joiner has tried: each number takes three of them, and the same ones once. */

import { SameLetters, WrongLetters } from "./liveErrors.js";

const MAX_ATTEMPTS = 3;
// In ms; the meeting of an older one has ended.
const LIFETIME = 600_000;

/** Letters for which a tag was sent; `at` in ms. @typedef {{number: number, letters: string, at: number}} Attempt */

/**
 * Count an attempt before its tag is sent.
 * @param {Attempt[]} made
 * @param {Attempt} next
 * @returns {Attempt[]} those that count now
 */
export function checkAttempt(made, next) {
  const counted = made.filter(({ at }) => at > next.at - LIFETIME);
  const letters = counted.filter(({ number }) => number === next.number).map((attempt) => attempt.letters);
  if (letters.includes(next.letters)) throw new SameLetters();
  if (letters.length >= MAX_ATTEMPTS) throw new WrongLetters(0);
  return [...counted, next];
}

/**
 * A transfer has succeeded: its number will belong to another meeting.
 * @param {Attempt[]} made
 * @param {number} number
 */
export const withoutNumber = (made, number) => made.filter((attempt) => attempt.number !== number);
