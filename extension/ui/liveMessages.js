/** Which message says how a live transfer ended. No DOM. */

import { BadService, MeetingEnded, OtherRole, SameLetters, WrongLetters } from "../core/liveErrors.js";
import { errorMessage } from "./errorMessages.js";

/**
 * @param {unknown} error
 * @param {boolean} isJoiner whether this side has typed the live code
 * @returns {[key: string, values?: import("./i18n.js").Values]}
 */
export function liveMessage(error, isJoiner) {
  if (error instanceof SameLetters) return ["live_same_letters"];
  if (error instanceof WrongLetters && error.triesLeft > 0) {
    return ["live_wrong_here", (translator) => ({ count: translator.number(error.triesLeft) })];
  }
  if (error instanceof WrongLetters) return ["live_no_tries"];
  if (error instanceof MeetingEnded || error instanceof OtherRole) return [isJoiner ? "live_no_meeting" : "live_ended"];
  if (error instanceof BadService) return ["live_bad_service"];
  return errorMessage(error);
}
