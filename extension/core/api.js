/** The service's API v1, as a client sees it. `fetch` is passed in. */

import { Fault, Invalid, NoText, TooLarge, TooMany, Unavailable, Unreachable } from "./errors.js";
import { bytesOf } from "./limits.js";
import { withRetry } from "./retry.js";
import { BadSealError } from "./seal.js";

const NO_TEXT = "urn:saver:problem:no-text";
const BROKEN_SEAL = "urn:saver:problem:broken-seal";
// Of silence, in ms.
const TIME_OUT = 60_000;
// Bytes in a second over a slow line: a text of 1 MiB takes minutes, and must not be given up meanwhile.
const SLOWEST = 4_000;
// What is sent in a moment over any line; a larger body may have been on its way when its time was out.
const SMALL_BODY = 100_000;
const STATES = ["waiting", "loaded", "read", "deleted", "expired"];
// Where an answer between the service and here does not say when to try again.
const A_WHILE = 60;

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
/** @typedef {{response: Response, answer: any}} Answered */

/**
 * Make a client of the service at `baseUrl`, which ends with a slash. Every
 * action rejects with one of the errors in `errors.js`, or with `BadSealError` where
 * the service could not open what it keeps, and with nothing else. What gets no
 * answer is asked again: every action may be, as each has its key, claim or token.
 * @param {object} options
 * @param {Fetch} options.fetch
 * @param {string | URL} options.baseUrl
 * @param {number} [options.timeout] of one try, in ms; a large body gets more
 * @param {import("./retry.js").RetryOptions} [options.retry]
 */
export function makeApi({ fetch, baseUrl, timeout = TIME_OUT, retry = {} }) {
  /** @param {string} path @param {object} [body] @param {RequestInit} [more] @returns {Promise<Answered>} */
  function ask(path, body, more) {
    const url = new URL(`api/v1/${path}`, baseUrl);
    return withRetry(() => exchange(fetch, url, requestOf(body, more), timeout), retry);
  }

  return {
    /**
     * Keep a text. With the same key and draft it may be sent again, and is kept once.
     * @param {Draft} draft
     * @param {string} key a UUID
     * @returns {Promise<Written>}
     */
    async write({ text, expiresIn, password, proof, once }, key) {
      const lock = { ...(password && { password }), ...(proof && { proof }), ...(once && { once }) };
      const repeatable = { headers: { "Idempotency-Key": key } };
      const given = await ask("write", { text, expires_in: expiresIn, ...lock }, repeatable);
      const { code, owner_token: ownerToken } = fields(given, "code", "owner_token");
      // Without the service's clock all that is known is what was asked for.
      const isTimed = given.response.headers.has("Date");
      return { code, ownerToken, secondsLeft: isTimed ? secondsLeft(given) : expiresIn };
    },

    /**
     * Load the text under a code.
     * @param {string} code
     * @param {{claim: string, password?: string, proof?: string}} reader `claim` is a UUID of its own
     * @returns {Promise<Loaded>}
     */
    async load(code, { claim, password, proof }) {
      const given = await ask("load", { code, claim, ...(password && { password }), ...(proof && { proof }) });
      const { once, sealed } = given.answer ?? {};
      const { text } = fields(given, "text");
      return { text, secondsLeft: secondsLeft(given), once: once === true, sealed: sealed === true };
    },

    /**
     * A one-time text has arrived, and is to end.
     * @param {string} code
     * @param {string} claim
     */
    async ack(code, claim) {
      // Also when the page is closed the moment the text is there.
      await ask("ack", { code, claim }, { keepalive: true });
    },

    /**
     * What has become of a text.
     * @param {string} code
     * @param {string} ownerToken
     * @returns {Promise<Receipt>}
     */
    async status(code, ownerToken) {
      const given = await ask("status", { code, owner_token: ownerToken });
      const { state } = fields(given, "state");
      const { refused, first_loaded_at: loaded } = given.answer;
      const firstLoadedAt = typeof loaded === "string" ? Date.parse(loaded) : null;
      if (!isState(state) || !Number.isInteger(refused) || Number.isNaN(firstLoadedAt)) {
        throw new Fault(given.response.status);
      }
      return { state, firstLoadedAt, refused, secondsLeft: secondsLeft(given) };
    },

    /**
     * End a text now.
     * @param {string} code
     * @param {string} ownerToken
     */
    async remove(code, ownerToken) {
      await ask("delete", { code, owner_token: ownerToken });
    },

    /** @returns {Promise<Limits>} */
    async limits() {
      const { response, answer } = await ask("limits");
      if (!(answer?.max_text_bytes > 0 && answer.expires_in?.default > 0)) throw new Fault(response.status);
      return answer;
    },
  };
}

/**
 * @param {Fetch} fetch
 * @param {URL} url
 * @param {RequestInit} request
 * @param {number} timeout
 * @returns {Promise<Answered>}
 */
async function exchange(fetch, url, request, timeout) {
  const { response, text } = await send(fetch, url, request, timeout);
  const answer = parsed(text);
  if (!response.ok) throw errorOf(response, answer);
  return { response, answer };
}

/**
 * The answer is read under a time-out too, which begins anew with all that comes: a line can die in the middle of it.
 * @param {Fetch} fetch
 * @param {URL} url
 * @param {RequestInit} request
 * @param {number} timeout
 */
async function send(fetch, url, request, timeout) {
  const controller = new AbortController();
  const size = typeof request.body === "string" ? bytesOf(request.body) : 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @param {number} milliseconds */
  const wait = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), milliseconds);
  };
  wait(timeout + (size / SLOWEST) * 1000);
  try {
    const response = await fetch(url, { ...request, signal: controller.signal });
    return { response, text: await textOf(response, () => wait(timeout)) };
  } catch {
    throw new Unreachable(controller.signal.aborted && size > SMALL_BODY);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} response
 * @param {() => void} came told with every part
 */
async function textOf(response, came) {
  came();
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    came();
    text += decoder.decode(value, { stream: true });
  }
}

/** @param {object | undefined} body @param {RequestInit} [more] @returns {RequestInit} */
function requestOf(body, more) {
  /** @type {RequestInit} */
  const common = { credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" };
  if (body === undefined) return { ...common, cache: "no-store" };
  // What is posted no browser keeps; told so once more, it also forgets that it was let in, and asks before every post.
  const headers = { "Content-Type": "application/json", Accept: "application/json", ...more?.headers };
  return { ...common, ...more, method: "POST", headers, body: JSON.stringify(body) };
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
  if (status === 429) return new TooMany(retryAfter(response));
  // 409: the same write is under way.
  if ([409, 502, 503, 504].includes(status)) {
    return new Unavailable(retryAfter(response), response.headers.has("Retry-After"));
  }
  return new Fault(status);
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
  const seconds = Math.ceil((Date.parse(given) - now(response)) / 1000);
  return seconds > 0 ? seconds : A_WHILE;
}

/** The seconds that a text still lives, never more than it does. @param {Answered} given */
function secondsLeft(given) {
  const expiresAt = Date.parse(fields(given, "expires_at").expires_at);
  if (Number.isNaN(expiresAt)) throw new Fault(given.response.status);
  return Math.max(0, Math.floor((expiresAt - now(given.response)) / 1000));
}

/**
 * The service's clock where it can be read: the clock of a shared computer may be wrong.
 * @param {Response} response
 */
function now(response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header leaves out the part of a second that has gone by.
  return Number.isNaN(date) ? Date.now() : date + 1000;
}

/** @param {Answered} given @param {...string} names @returns {Record<string, string>} */
function fields({ response, answer }, ...names) {
  if (!names.every((name) => typeof answer?.[name] === "string")) throw new Fault(response.status);
  return answer;
}
