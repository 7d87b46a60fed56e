import assert from "node:assert/strict";
import { test } from "node:test";

import { makeApi } from "../../extension/core/api.js";
import { BadSealError } from "../../extension/core/seal.js";
import { UnexpectedResponse, Invalid, NoText, TooLarge, RateLimited, Unavailable, Unreachable } from "../../extension/core/errors.js";

const BASE = "https://example.org/saver/";
const NOW = "Sat, 21 Nov 2026 12:00:00 GMT";
const KEY = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001";
const NO_TEXT = { type: "urn:saver:problem:no-text" };

/** A client whose service gives one answer; `asked` holds what it was asked. */
function client(status, body, headers = {}) {
  const asked = [];
  const fetch = async (url, request) => {
    asked.push({ url: String(url), ...request, body: request.body && JSON.parse(request.body) });
    return new Response(typeof body === "string" ? body : body && JSON.stringify(body), { status, headers });
  };
  return { api: makeApi({ fetch, baseUrl: BASE, retry: { pauses: [] } }), asked };
}

const written = { code: "wUrp", owner_token: "token", expires_at: "2026-11-21T12:10:01Z" };

test("write sends only what is given and knows the time left by the service's clock", async () => {
  const { api, asked } = client(201, written, { Date: NOW });
  const answer = await api.write({ text: "hello", expiresIn: 600, password: "", once: false }, KEY);
  assert.deepEqual(answer, { code: "wUrp", ownerToken: "token", secondsLeft: 600 });
  assert.equal(asked[0].url, `${BASE}api/v1/write`);
  assert.equal(asked[0].method, "POST");
  assert.equal(asked[0].credentials, "omit");
  assert.equal(asked[0].headers["Idempotency-Key"], KEY);
  assert.deepEqual(asked[0].body, { text: "hello", expires_in: 600 });
});

test("write sends a password or a proof, and that it may be read once", async () => {
  const { api, asked } = client(201, written);
  await api.write({ text: "hello", expiresIn: 600, password: "open sesame" }, KEY);
  assert.equal(asked[0].body.password, "open sesame");
  await api.write({ text: "a.b.c", expiresIn: 600, proof: "p", once: true }, KEY);
  assert.deepEqual(asked[1].body, { text: "a.b.c", expires_in: 600, proof: "p", once: true });
});

test("load gives the text exactly", async () => {
  const text = "\ufeffone\r\ntwo e\u0301 👋 <b>\u2028";
  const { api, asked } = client(200, { text, expires_at: "2020-01-01T00:00:00Z", once: true, sealed: true });
  assert.deepEqual(await api.load("wUrp", { claim: KEY, proof: "p" }), { text, secondsLeft: 0, once: true, sealed: true });
  assert.deepEqual(asked[0].body, { code: "wUrp", claim: KEY, proof: "p" });
});

test("the one 404 says how to derive a proof", async () => {
  const seal = { name: "PBKDF2-SHA256", iterations: 600_000, salt: "s" };
  await assert.rejects(client(404, { ...NO_TEXT, seal }).api.load("wUrp", { claim: KEY }), { seal });
});

test("what the service cannot open is broken", async () => {
  const { api } = client(422, { type: "urn:saver:problem:broken-seal" });
  await assert.rejects(api.load("wUrp", { claim: KEY, password: "p" }), BadSealError);
});

test("ack sends the claim, also while the page closes", async () => {
  const { api, asked } = client(204, null);
  await api.ack("wUrp", KEY);
  assert.deepEqual(asked[0].body, { code: "wUrp", claim: KEY });
  assert.equal(asked[0].keepalive, true);
});

test("status is the receipt", async () => {
  const answer = { state: "loaded", first_loaded_at: "2026-11-21T12:00:00Z", refused: 2, expires_at: "2026-11-21T12:10:01Z" };
  const { api, asked } = client(200, answer, { Date: NOW });
  const receipt = await api.status("wUrp", "token");
  assert.deepEqual(receipt, {
    state: "loaded",
    firstLoadedAt: Date.UTC(2026, 10, 21, 12),
    refused: 2,
    secondsLeft: 600,
  });
  assert.deepEqual(asked[0].body, { code: "wUrp", owner_token: "token" });
  const waiting = client(200, { ...answer, state: "waiting", first_loaded_at: null });
  assert.equal((await waiting.api.status("wUrp", "token")).firstLoadedAt, null);
  for (const odd of [{ state: "eaten" }, { refused: "2" }, { first_loaded_at: "soon" }]) {
    await assert.rejects(client(200, { ...answer, ...odd }).api.status("wUrp", "token"), UnexpectedResponse);
  }
});

test("remove sends the owner token, and nothing is a good answer", async () => {
  const { api, asked } = client(204, null);
  await api.remove("wUrp", "token");
  assert.deepEqual(asked[0].body, { code: "wUrp", owner_token: "token" });
});

test("limits are asked for without a body", async () => {
  const limits = { max_text_bytes: 10, expires_in: { min: 60, default: 600, max: 3600, max_sealed: 7200 } };
  const { api, asked } = client(200, limits);
  assert.deepEqual(await api.limits(), limits);
  assert.equal(asked[0].method, undefined);
});

const refusals = [
  [404, NO_TEXT, NoText],
  [404, "<h1>Not Found</h1>", UnexpectedResponse],
  [413, "", TooLarge],
  [409, { type: "urn:saver:problem:in-flight" }, Unavailable],
  [429, "", RateLimited],
  [503, "", Unavailable],
  [502, "<h1>Bad Gateway</h1>", Unavailable],
  [422, "", Invalid],
  [500, "", UnexpectedResponse],
  [200, "<h1>Log in to this network</h1>", UnexpectedResponse],
  [200, { text: 5, expires_at: "2026-11-21T12:10:00Z" }, UnexpectedResponse],
  [200, { text: "hello", expires_at: "soon" }, UnexpectedResponse],
];

for (const [status, body, kind] of refusals) {
  test(`${status} ${JSON.stringify(body)} is ${kind.name}`, async () => {
    await assert.rejects(client(status, body).api.load("wUrp", { claim: KEY }), (error) => error.constructor === kind);
  });
}

test("a refusal names the field and the rule", async () => {
  const { api } = client(422, { errors: [{ pointer: "/text", detail: "must not contain NUL" }] });
  await assert.rejects(api.write({ text: "\0", expiresIn: 600 }, KEY), { field: "text", rule: "must not contain NUL" });
});

const waits = { 43: 43, 0: 1, "Sat, 21 Nov 2026 12:02:01 GMT": 120, soon: 60, "": 60 };

for (const [given, seconds] of Object.entries(waits)) {
  test(`Retry-After ${JSON.stringify(given)} is ${seconds} seconds`, async () => {
    const { api } = client(429, "", { "Retry-After": given, Date: NOW });
    await assert.rejects(api.load("wUrp", { claim: KEY }), { retryAfter: seconds });
  });
}

test("no connection is Unreachable", async () => {
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(makeApi({ fetch, baseUrl: BASE, retry: { pauses: [] } }).load("wUrp", { claim: KEY }), Unreachable);
});

test("an answer that does not come in time is Unreachable", async () => {
  const fetch = (_, { signal }) => new Promise((_, refuse) => signal.addEventListener("abort", refuse));
  await assert.rejects(makeApi({ fetch, baseUrl: BASE, timeout: 1 }).load("wUrp", { claim: KEY }), Unreachable);
});

test("an answer that comes in parts may take longer than the time-out, and is whole", async () => {
  const parts = ["{\"text\": \"h", "é".repeat(3), "\", \"expires_at\": \"2026-11-21T12:10:00Z\"}"];
  const bytes = parts.flatMap((each) => [...new TextEncoder().encode(each)]);
  const fetch = async (_, { signal }) =>
    new Response(
      new ReadableStream({
        async pull(stream) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          const part = bytes.splice(0, 7);
          if (signal.aborted) stream.error(signal.reason);
          else if (part.length > 0) stream.enqueue(new Uint8Array(part));
          else stream.close();
        },
      }),
    );
  const api = makeApi({ fetch, baseUrl: BASE, timeout: 600, retry: { pauses: [] } });
  assert.equal((await api.load("wUrp", { claim: KEY })).text, "hééé");
});

test("without the service's clock a text lives as long as it was asked to", async () => {
  const { api } = client(201, { ...written, expires_at: "2020-01-01T00:00:00Z" });
  assert.equal((await api.write({ text: "hello", expiresIn: 600 }, KEY)).secondsLeft, 600);
});

test("an answer that stops in the middle is Unreachable", async () => {
  const fetch = async (_, { signal }) => {
    const body = new ReadableStream({ start: (stream) => signal.addEventListener("abort", () => stream.error()) });
    return new Response(body);
  };
  await assert.rejects(makeApi({ fetch, baseUrl: BASE, timeout: 1 }).load("wUrp", { claim: KEY }), Unreachable);
});
