/** The service's API v1, as a client sees it. `fetch` is passed in. */

import { Fault, Invalid, NoText, TooLarge, TooMany, Unavailable, Unreachable } from "./errors.js";

const NO_TEXT = "urn:saver:problem:no-text";
// A text of 1 MiB over a slow line takes half a minute.
const TIME_OUT = 60_000;
// Where an answer between the service and here does not say when to try again.
const A_WHILE = 60;

/** @typedef {import("./limits.js").Limits} Limits */
/** @typedef {{code: string, secondsLeft: number, ownerToken: string}} Written */
/** @typedef {{text: string, secondsLeft: number}} Loaded */
/** @typedef {{response: Response, answer: any}} Answered */

/**
 * Make a client of the service at `baseUrl`, which ends with a slash. Every
 * deed rejects with one of the errors in `errors.js` and with nothing else.
 * @param {{fetch: typeof fetch, baseUrl: string | URL, timeout?: number}} wiring `timeout` in ms
 */
export function makeApi({ fetch, baseUrl, timeout = TIME_OUT }) {
  /** @param {string} path @param {object} [body] */
  const ask = (path, body) => exchange(fetch, new URL(`api/v1/${path}`, baseUrl), body, timeout);

  return {
    /**
     * Keep a text.
     * @param {{text: string, expiresIn: number, password?: string}} wanted
     * @returns {Promise<Written>}
     */
    async write({ text, expiresIn, password }) {
      const given = await ask("write", { text, expires_in: expiresIn, ...(password && { password }) });
      const { code, owner_token: ownerToken } = fields(given, "code", "owner_token");
      return { code, ownerToken, secondsLeft: secondsLeft(given) };
    },

    /**
     * Load the text under a code.
     * @param {string} code
     * @param {string} [password]
     * @returns {Promise<Loaded>}
     */
    async load(code, password) {
      const given = await ask("load", { code, ...(password && { password }) });
      return { text: fields(given, "text").text, secondsLeft: secondsLeft(given) };
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
 * @param {typeof fetch} fetch
 * @param {URL} url
 * @param {object | undefined} body
 * @param {number} timeout
 * @returns {Promise<Answered>}
 */
async function exchange(fetch, url, body, timeout) {
  const { response, text } = await send(fetch, url, body, timeout);
  const answer = parsed(text);
  if (!response.ok) throw errorOf(response, answer);
  return { response, answer };
}

/** The body is read under the same time-out: a line can die in the middle of it. */
async function send(fetch, url, body, timeout) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), timeout);
  try {
    const response = await fetch(url, { ...requestOf(body), signal: patience.signal });
    return { response, text: await response.text() };
  } catch {
    throw new Unreachable();
  } finally {
    clearTimeout(timer);
  }
}

/** @param {object | undefined} body @returns {RequestInit} */
function requestOf(body) {
  /** @type {RequestInit} */
  const common = { cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" };
  if (body === undefined) return common;
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return { ...common, method: "POST", headers, body: JSON.stringify(body) };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {Response} response @param {any} problem */
function errorOf(response, problem) {
  const { status } = response;
  if (status === 404 && problem?.type === NO_TEXT) return new NoText();
  if (status === 413) return new TooLarge();
  if (status === 422) return invalid(problem);
  if (status === 429) return new TooMany(retryAfter(response));
  if ([502, 503, 504].includes(status)) return new Unavailable(retryAfter(response));
  return new Fault(status);
}

/** @param {any} problem */
function invalid(problem) {
  const { pointer = "", detail = "" } = problem?.errors?.[0] ?? {};
  return new Invalid(pointer.replace(/^\//, ""), detail);
}

/** Seconds, from a header that holds either seconds or a date. */
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

/** The service's clock where it can be read: the clock of a borrowed computer may be wrong. */
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
