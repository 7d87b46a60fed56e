/** Asking again where no answer came, or where the service asks for a moment. */

import { Unavailable, Unreachable } from "./errors.js";

// Before the second and the third try.
const RETRY_DELAYS = [700, 2_500];
// In seconds; a service that is busy for longer is for the user to come back to.
const MAX_WAIT = 3;
// When somebody begins to wonder whether anything happens.
const SLOW_AFTER = 4_000;

/** @typedef {"slow" | "again" | null} WaitState no answer yet; asking again; neither */
/**
 * @typedef {object} RetryOptions
 * @property {number[]} [pauses] before each further try, in ms
 * @property {(why: WaitState) => void} [waiting] told when a user should know why it takes so long
 */

/**
 * Do a deed that may be done again. Rejects as its last try did.
 * @template T
 * @param {() => Promise<T>} request
 * @param {RetryOptions} patience
 * @returns {Promise<T>}
 */
export async function withRetries(request, { pauses = RETRY_DELAYS, waiting = () => {} }) {
  let isReported = false;
  /** @param {WaitState} why */
  const report = (why) => {
    isReported = true;
    waiting(why);
  };
  const slow = setTimeout(() => report("slow"), SLOW_AFTER);
  try {
    return await retry(request, pauses, () => report("again"));
  } finally {
    clearTimeout(slow);
    // Another deed may have something to tell at the same time.
    if (isReported) waiting(null);
  }
}

/**
 * @template T
 * @param {() => Promise<T>} request
 * @param {number[]} pauses
 * @param {() => void} again
 * @returns {Promise<T>}
 */
async function retry(request, [delay, ...laterDelays], again) {
  try {
    return await request();
  } catch (error) {
    if (delay === undefined || !isTemporary(error)) throw error;
    again();
    const asked = error instanceof Unavailable && error.isAsked ? error.retryAfter * 1000 : 0;
    await new Promise((resolve) => setTimeout(resolve, Math.max(delay, asked)));
    return retry(request, laterDelays, again);
  }
}

/** A proxy that says nothing of the time is often one whose service starts anew. @param {unknown} error */
const isTemporary = (error) =>
  (error instanceof Unreachable && !error.isSending) ||
  (error instanceof Unavailable && (!error.isAsked || error.retryAfter <= MAX_WAIT));
