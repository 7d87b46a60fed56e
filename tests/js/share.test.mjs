import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { compileFunction } from "node:vm";

import { registerShareWorker, takeShared } from "../../saver/web/share.js";

const PAGE = "https://saver.example/memo/";
// It is not a module, and each test starts it again.
const SOURCE = readFileSync(new URL("../../saver/web/service-worker.js", import.meta.url), "utf8");
const WORKER = compileFunction(SOURCE, ["self"]);

/** Runs the worker's file with a fake `self`: its listeners, by event. */
function startWorker() {
  const listeners = {};
  WORKER({ registration: { scope: PAGE }, addEventListener: (name, listener) => (listeners[name] = listener) });
  return listeners;
}

/** The browser's side of the worker. */
function containerOf(listeners) {
  const active = { postMessage: (data, ports) => listeners.message({ data, ports }) };
  return { getRegistration: async () => ({ active }) };
}

/** Let a form be posted; what the worker answers, or undefined if it ignores the request. */
function post(listeners, fields, path = "share", method = "POST") {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  let answer;
  const request = new Request(new URL(path, PAGE), method === "POST" ? { method, body } : { method });
  listeners.fetch({ request, respondWith: (given) => (answer = given) });
  return answer;
}

const file = (text) => new File([text], "text.txt", { type: "text/plain" });

const SHARED = [
  ["a text", [["title", ""], ["text", "hello"], ["url", ""]], "hello"],
  ["a text with a title", [["title", "List"], ["text", "milk, eggs"]], "List\nmilk, eggs"],
  ["a title that the text has", [["title", "milk"], ["text", "milk and eggs"]], "milk and eggs"],
  ["an address", [["title", "A page"], ["url", "https://example.org/"]], "https://example.org/"],
  ["an address as text", [["title", "A page"], ["text", "https://example.org/"]], "https://example.org/"],
  ["the same twice", [["text", "https://example.org/"], ["url", "https://example.org/"]], "https://example.org/"],
  ["a title alone", [["title", "only this"], ["text", ""]], "only this"],
  ["files", [["files", file("one")], ["files", file("두")]], "one\n두"],
  ["markup", [["text", "<b>&amp;</b>"]], "<b>&amp;</b>"],
  // A form has these ends of lines; the field of the page makes them \n again.
  ["spaces and lines", [["text", "  two\n\n lines "]], "  two\r\n\r\n lines "],
];

for (const [name, fields, text] of SHARED) {
  test(`${name} is taken from the worker, once`, async () => {
    const listeners = startWorker();
    const answer = await post(listeners, fields);
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("Location"), `${PAGE}#share`);
    assert.deepEqual(await takeShared(containerOf(listeners)), { text });
    assert.equal(await takeShared(containerOf(listeners)), null);
  });
}

test("of two shares the page that asks gets the last", async () => {
  const listeners = startWorker();
  await post(listeners, [["text", "first"]]);
  await post(listeners, [["text", "second"]]);
  assert.deepEqual(await takeShared(containerOf(listeners)), { text: "second" });
});

test("the worker answers nothing but what is shared", async () => {
  const listeners = startWorker();
  for (const [path, method] of [["", "GET"], ["share", "GET"], ["api/v1/write", "POST"], ["share/", "POST"], ["/share", "POST"]]) {
    assert.equal(post(listeners, [["text", "x"]], path, method), undefined, `${method} ${path}`);
  }
});

test("a body that is no form leads to the page, and an earlier text is dropped", async () => {
  const listeners = startWorker();
  await post(listeners, [["text", "before"]]);
  let answer;
  const request = new Request(`${PAGE}share`, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
  listeners.fetch({ request, respondWith: (given) => (answer = given) });
  assert.equal((await answer).status, 303);
  assert.equal(await takeShared(containerOf(listeners)), null);
});

test("the worker does not answer other messages", async () => {
  const listeners = startWorker();
  await post(listeners, [["text", "hello"]]);
  const answers = [];
  listeners.message({ data: "other", ports: [{ postMessage: (data) => answers.push(data) }] });
  assert.deepEqual(answers, []);
});

test("without a worker, or with one that is silent, nothing is shared", async () => {
  assert.equal(await takeShared(undefined), null);
  assert.equal(await takeShared({ getRegistration: async () => undefined }), null);
  assert.equal(await takeShared({ getRegistration: async () => ({ active: null }) }), null);
  assert.equal(await takeShared({ getRegistration: async () => Promise.reject(new Error("refused")) }), null);
  assert.equal(await takeShared({ getRegistration: async () => ({ active: { postMessage() {} } }) }, 10), null);
});

// Which pages start the worker

let isInstalled;
let events;

beforeEach(() => {
  isInstalled = false;
  events = {};
  globalThis.matchMedia = (query) => ({ matches: isInstalled && query === "(display-mode: standalone)" });
  globalThis.window = { addEventListener: (name, listener) => (events[name] = listener) };
});

afterEach(() => {
  delete globalThis.window;
  delete globalThis.matchMedia;
});

function register() {
  const registered = [];
  registerShareWorker(`${PAGE}service-worker.js`, { register: async (script) => registered.push(script) });
  return registered;
}

test("an installed page starts the worker", () => {
  isInstalled = true;
  assert.deepEqual(register(), [`${PAGE}service-worker.js`]);
});

test("a page in a tab starts none, until it is installed", () => {
  const registered = register();
  assert.deepEqual(registered, []);
  events.appinstalled();
  assert.deepEqual(registered, [`${PAGE}service-worker.js`]);
});

test("a browser that refuses the worker, or has none, is not an error", async () => {
  isInstalled = true;
  registerShareWorker("x", { register: async () => Promise.reject(new Error("refused")) });
  registerShareWorker("x", undefined);
});
