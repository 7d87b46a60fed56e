import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { openPanels } from "../../extension/browser/panels.js";
import { DEFAULT_SETTINGS } from "../../extension/core/settings.js";
import { installBrowser } from "./support/browser.mjs";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

const SERVER = "https://example.org/";
const LIMITS = { max_text_bytes: 10, cool_down: 60, expires_in: { min: 60, default: 600, max: 600, max_sealed: 600 } };
const EXPIRES_AT = "2999-01-01T00:00:00Z";

let browser;
let document;
let clipboard;
/** What was sent to the service, by route. */
let requests;

function install() {
  browser = installBrowser();
  ({ document, clipboard } = installDocument());
  requests = [];
  for (const name of ["tab-text", "tab-history"]) {
    document.part(name).attributes.role = "tab";
    document.part("tabs").append(document.part(name));
  }
}

beforeEach(install);

const ANSWERS = {
  limits: LIMITS,
  write: { code: "wUrp", owner_token: "token", expires_at: EXPIRES_AT },
  load: { text: "loaded", expires_at: EXPIRES_AT, once: false, sealed: false },
  delete: null,
};

/** The popup with these settings, at a service that answers. */
async function open(settings = {}) {
  globalThis.fetch = async (url, { body }) => {
    const route = String(url).replace(`${SERVER}api/v1/`, "");
    requests.push([route, body && JSON.parse(body)]);
    return new Response(JSON.stringify(ANSWERS[route]), { headers: { Date: new Date().toUTCString() } });
  };
  await openPanels({ ...DEFAULT_SETTINGS, server: SERVER, ...settings }, fakeI18n, async () => ["word"]);
  await settled();
}

async function save(text) {
  document.part("text").value = text;
  await document.part("save-form").emit("input");
  await document.part("save-form").emit("submit");
  await settled();
}

async function load(code) {
  document.part("code-field").value = code;
  await document.part("code-field").emit("input");
  await document.part("load-form").emit("submit");
  await settled();
}

/** All values that the extension has stored. */
const stored = () => JSON.stringify([browser.storage.local.values, browser.storage.session.values]);
const history = () => browser.storage.local.values.history ?? [];

test("a saved text: its code is shown, stored and in the history", async () => {
  await open();
  await save("hello");
  assert.deepEqual(requests.at(-1), ["write", { text: "hello", expires_in: 600 }]);
  assert.equal(document.part("code").textContent, "wUrp");
  const { code, ownerToken, isSealed, phrase } = browser.storage.session.values.written;
  assert.deepEqual([code, ownerToken, isSealed, phrase], ["wUrp", "token", false, ""]);
  assert.deepEqual(history().map(({ code: each, action, isSealed: sealed }) => [each, action, sealed]), [["wUrp", "saved", false]]);
  assert.ok(!("outbox" in browser.storage.session.values));
});

test("what is typed is stored at once, and forgotten after saving", async () => {
  await open();
  document.part("text").value = "a draft";
  await document.part("save-form").emit("input");
  await settled();
  assert.equal(browser.storage.session.values.draft.text, "a draft");
  document.part("code-field").value = "wU";
  await document.part("code-field").emit("input");
  await settled();
  assert.equal(browser.storage.session.values.typed, "wU");
  await save("a draft");
  const { draft, written } = browser.storage.session.values;
  assert.equal(draft.text, "");
  assert.equal(written.text, "a draft", "for whoever wants to save it again, changed");
  assert.equal(stored().split("a draft").length - 1, 1, "and nowhere else");
});

test("of a text with a password nothing is stored in the clear", async () => {
  await open();
  document.part("password").value = "a password";
  await document.part("password").emit("input");
  await save("a draft");
  // Deriving its key takes a moment.
  while (document.part("code").textContent === "") await settled();
  assert.equal(browser.storage.session.values.written.isSealed, true);
  assert.doesNotMatch(stored(), /a draft|a password/);
});

test("a loaded text is shown, stored for the popup and in the history", async () => {
  await open();
  await load("wUrp");
  assert.equal(requests.at(-1)[0], "load");
  assert.equal(document.part("loaded-text").value, "loaded");
  assert.equal(browser.storage.session.values.shown.text, "loaded");
  assert.ok(browser.storage.session.values.shown.expiresAt > Date.now());
  assert.deepEqual(history().map(({ code, action }) => [code, action]), [["wUrp", "loaded"]]);
  await document.part("clear").emit("click");
  await settled();
  assert.ok(!("shown" in browser.storage.session.values));
});

test("a shared computer stores nothing but the tab", async () => {
  await open({ sharedComputer: true });
  await save("hello");
  await load("wUrp");
  assert.deepEqual(browser.storage.local.values, {});
  assert.deepEqual(Object.keys(browser.storage.session.values), ["tab"]);
  assert.equal(document.part("keep-note").hidden, true);
});

test("on a shared computer a copied text is cleared by an alarm, elsewhere it stays", async () => {
  await open({ sharedComputer: true });
  await load("wUrp");
  await document.part("copy-text").emit("click");
  await settled();
  assert.equal(clipboard.text, "loaded");
  assert.equal(browser.calls.at(-1)[0], "createAlarm");
  install();
  await open();
  await load("wUrp");
  await document.part("copy-text").emit("click");
  assert.ok(browser.calls.every(([name]) => name !== "createAlarm"));
});

test("without a history no code is stored in it", async () => {
  await open({ history: false });
  await save("hello");
  await load("wUrp");
  assert.deepEqual(history(), []);
});

test("a full storage keeps nobody from a code or a text", async () => {
  browser.storage.local.isFull = browser.storage.session.isFull = true;
  browser.storage.session.values.tab = "tab-text";
  const { set } = browser.storage.session;
  browser.storage.session.set = async (values) => ("tab" in values ? undefined : set.call(browser.storage.session, values));
  await open();
  await save("hello");
  assert.equal(document.part("code").textContent, "wUrp");
  await load("wUrp");
  assert.equal(document.part("loaded-text").value, "loaded");
});

test("a deleted text leaves its code nowhere but in the history, as ended", async (t) => {
  await open();
  await save("hello");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await document.part("delete").emit("click");
  t.mock.timers.tick(5_000);
  await settled();
  assert.deepEqual(requests.at(-1), ["delete", { code: "wUrp", owner_token: "token" }]);
  assert.ok(!("written" in browser.storage.session.values));
  assert.ok(history()[0].expiresAt <= Date.now());
});

test("a text that was deleted behind another one has ended in the history too, and the other one stays", async () => {
  await open();
  await save("hello");
  await document.part("delete").emit("click");
  await document.part("again").emit("click");
  await browser.storage.session.set({ written: { code: "aaaa" } });
  await settled();
  assert.deepEqual(requests.at(-1), ["delete", { code: "wUrp", owner_token: "token" }]);
  assert.ok(history()[0].expiresAt <= Date.now());
  assert.equal(browser.storage.session.values.written.code, "aaaa");
});

test("a text that is kept longer comes back with its new end, and has it in the history", async () => {
  await open();
  await save("hello");
  const soon = () => Math.abs(history()[0].expiresAt - browser.storage.session.values.written.expiresAt) < 5_000;
  ANSWERS.status = { state: "waiting", first_loaded_at: null, refused: 0, expires_at: new Date(Date.now() + 100_000).toUTCString() };
  ANSWERS.extend = { expires_at: new Date(Date.now() + 600_000).toUTCString() };
  await document.part("extend").emit("click");
  await settled();
  assert.equal(document.part("saved-status").textContent, "extended");
  const { expiresAt, text } = browser.storage.session.values.written;
  assert.ok(Math.abs(expiresAt - Date.now() - 600_000) < 10_000);
  assert.equal(text, "hello");
  assert.ok(soon());
});

test("the limits of the service hold in the form", async () => {
  await open();
  await save("more than ten bytes");
  assert.equal(document.part("save-alert").textContent, "too_large");
  assert.deepEqual(requests.map(([route]) => route), ["limits"]);
});

test("the tab is stored, and the history is shown with its tab", async () => {
  await open();
  await save("hello");
  await document.part("tabs").emit("click", { target: document.part("tab-history") });
  await settled();
  assert.equal(browser.storage.session.values.tab, "tab-history");
  const [row] = document.part("history").children;
  assert.equal(row.dataset.code, "wUrp");
  const [code] = row.children;
  document.part("code").textContent = "";
  await code.emit("click");
  await settled();
  assert.equal(document.part("code").textContent, "wUrp");
  assert.equal(document.part("delete").hidden, false, "the newest has its owner token");
  assert.equal(browser.storage.session.values.tab, "tab-text");
  assert.equal(document.part("saved-before").hidden, false, "and says that it is not new");
  const before = requests.length;
  await row.below().find((each) => each.dataset.part === "history-load").emit("click");
  await settled();
  assert.equal(document.part("code-field").value, "wUrp");
  assert.equal(requests.length, before, "nothing is loaded before Load is pressed");
});

test("a link has the address of the service and says whether the text is sealed and read once", async () => {
  await open();
  await save("hello");
  await document.part("copy-link").emit("click");
  assert.equal(clipboard.text, `${SERVER}#wUrp`);
  await document.part("again").emit("click");
  document.part("password").value = "a password";
  document.part("once").checked = true;
  document.part("code").textContent = "";
  await save("hello");
  while (document.part("code").textContent === "") await settled();
  await document.part("copy-link").emit("click");
  assert.equal(clipboard.text, `${SERVER}#wUrp.sealed.once`);
});

test("a text is inserted into the tab below the popup, or into the one that its page was opened for", async () => {
  browser.script = async () => [{ result: true }];
  await open();
  await load("wUrp");
  await document.part("insert").emit("click");
  await settled();
  assert.deepEqual(browser.calls.at(-1)[1].target, { tabId: 7, allFrames: true });
  assert.equal(document.part("loaded-status").textContent, "inserted");
  globalThis.location.search = "?tab=9";
  browser.script = async () => [{ result: false }];
  await document.part("insert").emit("click");
  await settled();
  assert.deepEqual(browser.calls.at(-1)[1].target, { tabId: 9, allFrames: true });
  assert.equal(document.part("loaded-status").textContent, "insert_failed");
});

test("a popup goes on with what was under way", async () => {
  browser.storage.session.values.draft = { text: "a draft", expiresIn: null, once: false, locked: false, sent: false };
  browser.storage.session.values.typed = "wU";
  await open();
  assert.equal(document.part("text").value, "a draft");
  assert.equal(document.part("code-field").value, "wU");
});

test("a reader who asks again after the popup was closed is the same reader", async () => {
  browser.storage.session.values.asked = { code: "wUrp", claim: "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001" };
  await open();
  await load("wUrp");
  assert.equal(requests.at(-1)[1].claim, "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001");
});
