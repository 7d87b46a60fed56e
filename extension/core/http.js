/** One HTTP request, with a time-out that fits its size. `fetch` is passed in. */

import { Unreachable } from "./errors.js";
import { bytesOf } from "./limits.js";

// Bytes in a second over a slow line: a text of 1 MiB takes minutes, and must not be given up meanwhile.
const MIN_BYTES_PER_SECOND = 4_000;
// What is sent in a moment over any line; a larger body may have been on its way when its time was out.
const SMALL_BODY = 100_000;

/** @typedef {typeof globalThis.fetch} Fetch */

/**
 * The answer is read under a time-out too, which begins anew with all that comes: a line can die in the middle of it.
 * @param {Fetch} fetch
 * @param {URL} url
 * @param {RequestInit} request
 * @param {number} timeout
 */
export async function send(fetch, url, request, timeout) {
  const controller = new AbortController();
  const size = typeof request.body === "string" ? bytesOf(request.body) : 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @param {number} milliseconds */
  const restartTimer = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), milliseconds);
  };
  restartTimer(timeout + (size / MIN_BYTES_PER_SECOND) * 1000);
  try {
    const response = await fetch(url, { ...request, signal: controller.signal });
    return { response, text: await textOf(response, () => restartTimer(timeout)) };
  } catch {
    throw new Unreachable(controller.signal.aborted && size > SMALL_BODY);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} response
 * @param {() => void} onData told with every part
 */
async function textOf(response, onData) {
  onData();
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    onData();
    text += decoder.decode(value, { stream: true });
  }
}

/** @param {object | undefined} body @param {RequestInit} [more] @returns {RequestInit} */
export function requestOf(body, more) {
  /** @type {RequestInit} */
  const common = { credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" };
  if (body === undefined) return { ...common, cache: "no-store" };
  // What is posted no browser keeps; told so once more, it also forgets that it was let in, and asks before every post.
  const headers = { "Content-Type": "application/json", Accept: "application/json", ...more?.headers };
  return { ...common, ...more, method: "POST", headers, body: JSON.stringify(body) };
}
