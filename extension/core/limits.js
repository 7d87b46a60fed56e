/** Sizes and lifetimes: what the service allows and what a user is offered. */

/**
 * What `GET /api/v1/limits` tells.
 * @typedef {object} Limits
 * @property {number} max_text_bytes
 * @property {{min: number, default: number, max: number, max_sealed: number}} expires_in in seconds
 * @property {number} [cool_down] of a code after its text's end, in seconds
 * @property {{expires_in: number, tries: number}} [live] there if the service knows live transfers
 * @property {string} [contact] of whoever runs the service; any text
 * @property {string} [terms_url]
 * @property {number} [guess_chance_today] that a given text without a password was found by guessing
 */

const CHOICES = [600, 3_600, 10_800, 86_400, 604_800, 2_592_000];
// What a text gains at least when it is kept longer, in seconds: "from 9 to 10 minutes" is not what is meant.
const MIN_GAIN = 120;
const encoder = new TextEncoder();

/**
 * What holds until the service has told its own limits.
 * @type {Limits}
 */
export const DEFAULT_LIMITS = {
  max_text_bytes: 1_048_576,
  expires_in: { min: 60, default: 600, max: 86_400, max_sealed: 2_592_000 },
};

/**
 * The lifetimes to choose from, in seconds; those beyond `max` need a password.
 * @param {Limits} limits
 * @returns {number[]}
 */
export function lifetimeChoices({ expires_in: { min, max, max_sealed: most = max, default: usual } }) {
  const offered = new Set([usual, ...CHOICES.filter((seconds) => min <= seconds && seconds <= Math.max(max, most))]);
  return [...offered].sort((one, other) => one - other);
}

/**
 * The next choice that lets a text live longer than it does; null where there is none.
 * @param {Limits} limits
 * @param {number} secondsLeft how long it lives now
 * @param {boolean} isSealed
 * @returns {number | null} in seconds
 */
export function nextLifetime(limits, secondsLeft, isSealed) {
  const { max, max_sealed: maxSealed = max } = limits.expires_in;
  const allowed = lifetimeChoices(limits).filter((seconds) => seconds <= (isSealed ? Math.max(max, maxSealed) : max));
  return allowed.find((seconds) => seconds > secondsLeft + MIN_GAIN) ?? null;
}

/**
 * How large a text is in UTF-8.
 * @param {string} text
 */
export function bytesOf(text) {
  return encoder.encode(text).length;
}

/**
 * How many characters a text has; an emoji outside the BMP is one.
 * @param {string} text
 */
export function charactersOf(text) {
  let count = text.length;
  for (let place = 1; place < text.length; place += 1) {
    if (isLow(text.charCodeAt(place)) && isHigh(text.charCodeAt(place - 1))) count -= 1;
  }
  return count;
}

/** @param {number} unit */
const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;
/** @param {number} unit */
const isLow = (unit) => unit >= 0xdc00 && unit <= 0xdfff;
