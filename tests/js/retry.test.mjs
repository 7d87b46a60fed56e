import assert from "node:assert/strict";
import { test } from "node:test";

import { makeApi } from "../../extension/core/api.js";
import { NoText, RateLimited, Unavailable, Unreachable } from "../../extension/core/errors.js";

const KEY = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001";
const DRAFT = { text: "hello", expiresIn: 600 };
const WRITTEN = [201, { code: "wUrp", owner_token: "t", expires_at: "2999-01-01T00:00:00Z" }];
const BUSY = [503, {}, { "Retry-After": "1" }];

/** A service that gives these answers, null for none; the requests, and the calls of `waiting`. */
function client(...answers) {
  const sent = [];
  const events = [];
  const fetch = async (_, request) => {
    sent.push(request.headers["Idempotency-Key"] + request.body);
    const [status, body, headers] = answers.shift() ?? [];
    if (!status) throw new TypeError("no route");
    return new Response(JSON.stringify(body), { status, headers });
  };
  const waiting = (why) => events.push(why);
  return { api: makeApi({ fetch, baseUrl: "https://example.org/", retry: { pauses: [1, 1], waiting } }), sent, events };
}

test("what gets no answer is sent again, the same to the byte", async () => {
  const { api, sent, events } = client(null, null, WRITTEN);
  assert.equal((await api.write(DRAFT, KEY)).code, "wUrp");
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent).size, 1);
  assert.deepEqual(events, ["again", "again", null]);
});

test("a service that is busy for a moment is asked again", async () => {
  const { api, sent } = client(BUSY, WRITTEN);
  await api.write(DRAFT, KEY);
  assert.equal(sent.length, 2);
});

test("a proxy that names no time is asked again", async () => {
  const { api, sent } = client([502, "<h1>Bad Gateway</h1>"], WRITTEN);
  await api.write(DRAFT, KEY);
  assert.equal(sent.length, 2);
});

test("three tries, then the error is shown", async () => {
  const { api, sent, events } = client(null, null, null, WRITTEN);
  await assert.rejects(api.write(DRAFT, KEY), Unreachable);
  assert.equal(sent.length, 3);
  assert.equal(events.at(-1), null);
});

for (const [status, headers, error] of [
  [503, { "Retry-After": "30" }, Unavailable],
  [429, { "Retry-After": "1" }, RateLimited],
  [404, {}, NoText],
]) {
  test(`${status} ${JSON.stringify(headers)} is not asked again`, async () => {
    const { api, sent } = client([status, { type: "urn:saver:problem:no-text" }, headers], WRITTEN);
    await assert.rejects(api.write(DRAFT, KEY), error);
    assert.equal(sent.length, 1);
  });
}

test("a large text over a slow line is given the time that it needs, and is sent once", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let times = 0;
  const fetch = (_, { signal }) => {
    times += 1;
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const api = makeApi({ fetch, baseUrl: "https://example.org/" });
  let error = null;
  const saved = api.write({ text: "a".repeat(1_000_000), expiresIn: 600 }, KEY).catch((given) => void (error = given));
  context.mock.timers.tick(300_000);
  await new Promise(setImmediate);
  assert.equal(error, null);
  context.mock.timers.tick(60_000);
  await saved;
  assert.ok(error instanceof Unreachable);
  assert.equal(times, 1);
});
