/** What can go wrong when the service is asked, or a file is read; each is its own class. */

/** Any that comes of asking the service. */
export class ApiError extends Error {
  constructor() {
    super();
    this.name = new.target.name;
  }
}

/** The one 404: no text under this code, or the password is missing or wrong. */
export class NoText extends ApiError {
  /** @param {import("./seal.js").Parameters} [seal] how to derive a proof; not checked yet */
  constructor(seal) {
    super();
    this.seal = seal;
  }
}

/** A budget is spent. */
export class RateLimited extends ApiError {
  /** @param {number} retryAfter in seconds */
  constructor(retryAfter) {
    super();
    this.retryAfter = retryAfter;
  }
}

/** The service cannot do it now, or is still at it. */
export class Unavailable extends ApiError {
  /**
   * @param {number} retryAfter in seconds
   * @param {boolean} [isFromService] whether the service has asked for that time
   */
  constructor(retryAfter, isFromService = true) {
    super();
    this.retryAfter = retryAfter;
    this.isAsked = isFromService;
  }
}

/** Understood, but against a rule. */
export class Invalid extends ApiError {
  /**
   * @param {string} field its name, or "" where no single field is at fault
   * @param {string} rule in English
   */
  constructor(field, rule) {
    super();
    this.field = field;
    this.rule = rule;
  }
}

/** The text is longer than the service keeps. */
export class TooLarge extends ApiError {}

/** No answer, or none in time. */
export class Unreachable extends ApiError {
  /** @param {boolean} [isSending] whether it may still have been sending: to begin anew would not be faster */
  constructor(isSending = false) {
    super();
    this.isSending = isSending;
  }
}

/**
 * An open text came where a sealed one was expected: a password was typed, or a link has promised it.
 * `isShowable`: whether it may be shown to whoever asks again without a password.
 */
export class NotSealed extends ApiError {
  /** @param {boolean} canShowWithoutPassword */
  constructor(canShowWithoutPassword) {
    super();
    this.isShowable = canShowWithoutPassword;
  }
}

/** An answer that this client does not understand. */
export class UnexpectedResponse extends ApiError {
  /** @param {number} status */
  constructor(status) {
    super();
    this.status = status;
  }
}

/** A file that is no text: it has a NUL, or bytes that its encoding does not know. */
export class UnreadableFile extends Error {
  constructor() {
    super();
    this.name = new.target.name;
  }
}
