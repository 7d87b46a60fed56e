/** A password as a person gives it: sealing and deriving, with refusals as the service words them. */

import { Invalid } from "./errors.js";
import { BadSealError, deriveKeys, seal } from "./seal.js";

const GIVEN = ["text", "password"];

/** @param {string} text @param {string} password */
export const lock = (text, password) => worded(seal(text, password));

/** @param {string} password @param {import("./seal.js").Parameters | undefined} parameters */
export const keysOf = (password, parameters) => worded(deriveKeys(password, parameters));

/**
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function worded(work) {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BadSealError)) throw error;
    const [field, rule] = error.message.split(": ");
    throw GIVEN.includes(field) ? new Invalid(field, rule) : error;
  }
}
