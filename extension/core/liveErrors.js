/** What can go wrong in a live transfer, besides the errors in `errors.js`. */

import { ApiError } from "./errors.js";

/** There is no meeting under this number, or it has ended. */
export class MeetingEnded extends ApiError {}

/** The letters of the two sides differ. */
export class WrongLetters extends ApiError {
  /** @param {number} triesLeft for the same meeting; 0 for none */
  constructor(triesLeft) {
    super();
    this.triesLeft = triesLeft;
  }
}

/** These letters were tried for this number already; they are sent once. */
export class SameLetters extends ApiError {}

/** Both sides want to send, or both to receive. */
export class OtherRole extends ApiError {
  /** @param {import("./liveExchange.js").Role} role that this side would have to take */
  constructor(role) {
    super();
    this.role = role;
  }
}

/** An answer of the service that does not fit the exchange: the transfer was ended. */
export class BadService extends ApiError {}

/** The user has ended the transfer. */
export class Cancelled extends ApiError {}
