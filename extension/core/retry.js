/** Asking again where no answer came, or where the service asks for a moment. */

import { Unavailable, Unreachable } from "./errors.js";

// Before the second and the third try.
const PAUSES = [700, 2_500];
// In seconds; a service that is busy for longer is for the person to come back to.
const LONGEST_WAIT = 3;
// When somebody begins to wonder whether anything happens.
const SLOW = 4_000;

/** @typedef {"slow" | "again" | null} Waiting no answer yet; asking again; neither */
/**
 * @typedef {object} RetryOptions
 * @property {number[]} [pauses] before each further try, in ms
 * @property {(why: Waiting) => void} [waiting] told when a person should know why it takes so long
 */

/**
 * Run an action that may be run again. Rejects as its last try did.
 * @template T
 * @param {() => Promise<T>} action
 * @param {RetryOptions} options
 * @returns {Promise<T>}
 */
export async function withRetry(action, { pauses = PAUSES, waiting = () => {} }) {
  let isTold = false;
  /** @param {Waiting} why */
  const tell = (why) => {
    isTold = true;
    waiting(why);
  };
  const slow = setTimeout(() => tell("slow"), SLOW);
  try {
    return await persist(action, pauses, () => tell("again"));
  } finally {
    clearTimeout(slow);
    // Another action may have something to tell at the same time.
    if (isTold) waiting(null);
  }
}

/**
 * @template T
 * @param {() => Promise<T>} action
 * @param {number[]} pauses
 * @param {() => void} again
 * @returns {Promise<T>}
 */
async function persist(action, [pause, ...later], again) {
  try {
    return await action();
  } catch (error) {
    if (pause === undefined || !isPassing(error)) throw error;
    again();
    const asked = error instanceof Unavailable && error.isAsked ? error.retryAfter * 1000 : 0;
    await new Promise((resolve) => setTimeout(resolve, Math.max(pause, asked)));
    return persist(action, later, again);
  }
}

/** A proxy that says nothing of the time is often one whose service starts anew. @param {unknown} error */
const isPassing = (error) =>
  (error instanceof Unreachable && !error.isSending) ||
  (error instanceof Unavailable && (!error.isAsked || error.retryAfter <= LONGEST_WAIT));
