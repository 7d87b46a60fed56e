/** Which message tells a user what went wrong. No DOM. */

import { Invalid, NoText, NotSealed, RateLimited, Unavailable, Unreachable } from "../core/errors.js";
import { BadSealError, WeakSealError } from "../core/seal.js";

/** @type {Record<string, string>} by the name of the field */
const INVALID_FIELD = { text: "invalid_text", password: "invalid_password", code: "bad_code" };

/** @typedef {import("./i18n.js").Values} Values */

/**
 * The key of the message, and its values.
 * @param {unknown} error
 * @returns {[key: string, values?: Values]}
 */
export function errorMessage(error) {
  if (error instanceof NoText) return ["no_text"];
  if (error instanceof NotSealed) return [error.isShowable ? "not_locked" : "not_sealed"];
  if (error instanceof Unreachable) return ["unreachable"];
  if (error instanceof Invalid) return [INVALID_FIELD[error.field] ?? "invalid"];
  if (error instanceof RateLimited) return ["too_many", retryValues(error.retryAfter)];
  if (error instanceof Unavailable) return ["unavailable", retryValues(error.retryAfter)];
  if (error instanceof WeakSealError) return ["weak_seal"];
  if (error instanceof BadSealError) return ["broken_seal"];
  return ["fault"];
}

/** @param {number} seconds @returns {Values} */
const retryValues = (seconds) => (translator) => ({ time: translator.duration(seconds) });
