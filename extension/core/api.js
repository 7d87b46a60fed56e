/** The service's API v1, as a client sees it. `fetch` is passed in. */

import { UnexpectedResponse, Invalid, NoText, TooLarge, RateLimited, Unavailable } from "./errors.js";
import { requestOf, send } from "./http.js";
import { withRetries } from "./retry.js";
import { BadSealError } from "./seal.js";

const NO_TEXT = "urn:saver:problem:no-text";
const BROKEN_SEAL = "urn:saver:problem:broken-seal";
// Of silence, in ms.
const TIMEOUT = 60_000;
const STATES = ["waiting", "loaded", "read", "deleted", "expired"];
// Where an answer between the service and here does not say when to try again.
const DEFAULT_RETRY_AFTER = 60;

/** @typedef {typeof globalThis.fetch} Fetch */
/** @typedef {import("./limits.js").Limits} Limits */
/** @typedef {{code: string, secondsLeft: number, ownerToken: string}} Written */
/** @typedef {{text: string, secondsLeft: number, once: boolean, sealed: boolean}} Loaded `sealed`: `text` is the JWE */
/**
 * A text to keep: open, with a password for the service to seal with, or sealed already (`text` is the JWE).
 * @typedef {{text: string, expiresIn: number, password?: string, proof?: string, once?: boolean}} Draft
 */
/** @typedef {"waiting" | "loaded" | "read" | "deleted" | "expired"} State */
/** @typedef {{state: State, firstLoadedAt: number | null, refused: number, secondsLeft: number}} Receipt `firstLoadedAt` in ms */
/** @typedef {{response: Response, answer: any}} ApiResponse */

/**
 * Make a client of the service at `baseUrl`, which ends with a slash. Every
 * deed rejects with one of the errors in `errors.js`, or with `BadSealError` where
 * the service could not open what it keeps, and with nothing else. What gets no
 * answer is asked again: every deed may be, as each has its key, claim or token.
 * @param {object} options
 * @param {Fetch} options.fetch
 * @param {string | URL} options.baseUrl
 * @param {number} [options.timeout] of one try, in ms; a large body gets more
 * @param {import("./retry.js").RetryOptions} [options.retry]
 */
export function makeApi({ fetch, baseUrl, timeout = TIMEOUT, retry = {} }) {
  /** @param {string} path @param {object} [body] @param {RequestInit} [more] @returns {Promise<ApiResponse>} */
  function request(path, body, more) {
    const url = new URL(`api/v1/${path}`, baseUrl);
    return withRetries(() => sendAndParse(fetch, url, requestOf(body, more), timeout), retry);
  }

  return {
    /**
     * Keep a text. With the same key and draft it may be sent again, and is kept once.
     * @param {Draft} draft
     * @param {string} key a UUID
     * @returns {Promise<Written>}
     */
    async write({ text, expiresIn, password, proof, once }, key) {
      const protection = { ...(password && { password }), ...(proof && { proof }), ...(once && { once }) };
      const repeatable = { headers: { "Idempotency-Key": key } };
      const result = await request("write", { text, expires_in: expiresIn, ...protection }, repeatable);
      const { code, owner_token: ownerToken } = fields(result, "code", "owner_token");
      // Without the service's clock all that is known is what was asked for.
      const isTimed = result.response.headers.has("Date");
      return { code, ownerToken, secondsLeft: isTimed ? secondsLeft(result) : expiresIn };
    },

    /**
     * Load the text under a code.
     * @param {string} code
     * @param {{claim: string, password?: string, proof?: string}} reader `claim` is a UUID of its own
     * @returns {Promise<Loaded>}
     */
    async load(code, { claim, password, proof }) {
      const result = await request("load", { code, claim, ...(password && { password }), ...(proof && { proof }) });
      const { once, sealed } = result.answer ?? {};
      const { text } = fields(result, "text");
      return { text, secondsLeft: secondsLeft(result), once: once === true, sealed: sealed === true };
    },

    /**
     * A one-time text has arrived, and is to end.
     * @param {string} code
     * @param {string} claim
     */
    async ack(code, claim) {
      // Also when the page is closed the moment the text is there.
      await request("ack", { code, claim }, { keepalive: true });
    },

    /**
     * What has become of a text.
     * @param {string} code
     * @param {string} ownerToken
     * @returns {Promise<Receipt>}
     */
    async status(code, ownerToken) {
      const result = await request("status", { code, owner_token: ownerToken });
      const { state } = fields(result, "state");
      const { refused, first_loaded_at: loaded } = result.answer;
      const firstLoadedAt = typeof loaded === "string" ? Date.parse(loaded) : null;
      if (!isState(state) || !Number.isInteger(refused) || Number.isNaN(firstLoadedAt)) {
        throw new UnexpectedResponse(result.response.status);
      }
      return { state, firstLoadedAt, refused, secondsLeft: secondsLeft(result) };
    },

    /**
     * Let a text live so many seconds from now, if that is longer than before.
     * @param {string} code
     * @param {string} ownerToken
     * @param {number} expiresIn in seconds
     * @returns {Promise<number>} how long it lives now, in seconds
     */
    async extend(code, ownerToken, expiresIn) {
      return secondsLeft(await request("extend", { code, owner_token: ownerToken, expires_in: expiresIn }));
    },

    /**
     * End a text now.
     * @param {string} code
     * @param {string} ownerToken
     */
    async remove(code, ownerToken) {
      // Also when the page is closed meanwhile.
      await request("delete", { code, owner_token: ownerToken }, { keepalive: true });
    },

    /** A message of a live transfer, see `liveApi.js`. @param {string} path @param {object} body */
    live: async (path, body) => (await request(`live/${path}`, body)).answer,

    /** @returns {Promise<Limits>} */
    async limits() {
      const { response, answer } = await request("limits");
      if (!(answer?.max_text_bytes > 0 && answer.expires_in?.default > 0)) throw new UnexpectedResponse(response.status);
      return answer;
    },
  };
}

/**
 * @param {Fetch} fetch
 * @param {URL} url
 * @param {RequestInit} request
 * @param {number} timeout
 * @returns {Promise<ApiResponse>}
 */
async function sendAndParse(fetch, url, request, timeout) {
  const { response, text } = await send(fetch, url, request, timeout);
  const answer = parsed(text);
  if (!response.ok) throw errorOf(response, answer);
  return { response, answer };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} given @returns {given is State} */
function isState(given) {
  return STATES.includes(given);
}

/** @param {Response} response @param {any} problem */
function errorOf(response, problem) {
  const { status } = response;
  if (status === 404 && problem?.type === NO_TEXT) return new NoText(problem.seal);
  if (status === 413) return new TooLarge();
  if (status === 422) return problem?.type === BROKEN_SEAL ? new BadSealError("does not open") : invalid(problem);
  if (status === 429) return new RateLimited(retryAfter(response));
  // 409: the same write is under way.
  if ([409, 502, 503, 504].includes(status)) {
    return new Unavailable(retryAfter(response), response.headers.has("Retry-After"));
  }
  return new UnexpectedResponse(status);
}

/** @param {any} problem */
function invalid(problem) {
  const { pointer = "", detail = "" } = problem?.errors?.[0] ?? {};
  return new Invalid(pointer.replace(/^\//, ""), detail);
}

/** Seconds, from a header that holds either seconds or a date. @param {Response} response */
function retryAfter(response) {
  const given = response.headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(given)) return Math.max(1, Number(given));
  const seconds = Math.ceil((Date.parse(given) - serverTime(response)) / 1000);
  return seconds > 0 ? seconds : DEFAULT_RETRY_AFTER;
}

/** The seconds that a text still lives, never more than it does. @param {ApiResponse} result */
function secondsLeft(result) {
  const expiresAt = Date.parse(fields(result, "expires_at").expires_at);
  if (Number.isNaN(expiresAt)) throw new UnexpectedResponse(result.response.status);
  return Math.max(0, Math.floor((expiresAt - serverTime(result.response)) / 1000));
}

/**
 * The service's clock where it can be read: the clock of a shared computer may be wrong.
 * @param {Response} response
 */
function serverTime(response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header leaves out the part of a second that has gone by.
  return Number.isNaN(date) ? Date.now() : date + 1000;
}

/** @param {ApiResponse} given @param {...string} names @returns {Record<string, string>} */
function fields({ response, answer }, ...names) {
  if (!names.every((name) => typeof answer?.[name] === "string")) throw new UnexpectedResponse(response.status);
  return answer;
}
