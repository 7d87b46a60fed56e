import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { NOTIFY_ALARM, noteOpened, startAsking } from "../../extension/browser/notify.js";
import { DEFAULT_SETTINGS } from "../../extension/core/settings.js";
import { installBrowser } from "./support/browser.mjs";

const SERVER = "https://example.org/";
const SETTINGS = { ...DEFAULT_SETTINGS, server: SERVER, notify: true };
const EXPIRES_AT = "2999-01-01T00:00:00Z";
const OPENED_AT = "2026-11-29T08:00:00Z";
const WRITTEN = { code: "wUrp", ownerToken: "token", expiresAt: Date.parse(EXPIRES_AT), isSealed: false, once: false };
const MESSAGES = { en: { notify_opened: "{code} was opened." }, ko: { notify_opened: "{code} 열림" } };

/** The browser that the background script has added its listeners to. */
const first = installBrowser();
await import("../../extension/background.js");

let browser;
/** What the service answers: a state with the time of the first reading, or a status with a problem. */
let answer;
/** The bodies that were sent to the service. */
let asked;

/** A browser whose alarm rings; the notification is allowed and wanted, and a text was saved. */
function start({ settings = SETTINGS, written = WRITTEN, granted = ["notifications"] } = {}) {
  browser = installBrowser({ local: { settings }, session: written ? { written } : {}, granted });
  browser.alarms.onAlarm = first.alarms.onAlarm;
  browser.alarms.clear = async (name) => void browser.calls.push(["clearAlarm", name]);
  browser.notifications = { create: async (...given) => void browser.calls.push(["notify", ...given]) };
  browser.i18n.getMessage = () => "en";
  const { fetch: packageFetch } = globalThis;
  asked = [];
  answer = { state: "waiting", first_loaded_at: null };
  globalThis.fetch = async (url, request) => {
    const language = /ui\/(\w+)\.json$/.exec(String(url))?.[1];
    if (language) return new Response(JSON.stringify(MESSAGES[language]));
    if (!String(url).startsWith(SERVER)) return packageFetch(url);
    asked.push([String(url), JSON.parse(request.body)]);
    if (answer instanceof Error) throw answer;
    const { status = 200, ...body } = answer;
    return new Response(JSON.stringify({ refused: 0, expires_at: EXPIRES_AT, ...body }), { status });
  };
}

beforeEach(() => start());

const ring = () => browser.alarms.onAlarm.emit({ name: NOTIFY_ALARM });
const called = (name) => browser.calls.filter(([each]) => each === name).map(([, ...values]) => values);
const isStopped = () => called("clearAlarm").some(([name]) => name === NOTIFY_ALARM);

test("a text that waits is asked for again, and nothing is shown", async () => {
  await ring();
  assert.deepEqual(asked, [[`${SERVER}api/v1/status`, { code: "wUrp", owner_token: "token" }]]);
  assert.deepEqual(called("notify"), []);
  assert.equal(isStopped(), false);
});

for (const opened of [{ state: "loaded", first_loaded_at: OPENED_AT }, { state: "read", first_loaded_at: OPENED_AT },
  { state: "read", first_loaded_at: null }, { state: "expired", first_loaded_at: OPENED_AT }]) {
  test(`opened, it is shown once: ${JSON.stringify(opened)}`, async () => {
    answer = opened;
    await ring();
    await ring();
    const [[id, shown], ...more] = called("notify");
    assert.deepEqual([id, shown.type, shown.message], ["opened-wUrp", "basic", "wUrp was opened."]);
    assert.deepEqual(more, []);
    assert.equal(asked.length, 1);
    assert.ok(isStopped());
    assert.equal(browser.storage.session.values.written.isOpened, true);
    assert.equal(browser.storage.session.values.written.ownerToken, "token");
  });
}

test("it is shown in the language of the settings, without the text and its passphrase", async () => {
  start({ settings: { ...SETTINGS, language: "ko" }, written: { ...WRITTEN, text: "secret text", phrase: "five words" } });
  answer = { state: "loaded", first_loaded_at: OPENED_AT };
  await ring();
  assert.equal(called("notify")[0][1].message, "wUrp 열림");
  assert.doesNotMatch(JSON.stringify(called("notify")), /secret|words/);
});

for (const [why, ended] of [
  ["expired", { state: "expired", first_loaded_at: null }],
  ["deleted", { state: "deleted", first_loaded_at: null }],
  ["unknown to the service", { status: 404, type: "urn:saver:problem:no-text" }],
]) {
  test(`${why}, it is not asked for any more, and nothing is shown`, async () => {
    answer = ended;
    await ring();
    assert.deepEqual(called("notify"), []);
    assert.ok(isStopped());
  });
}

for (const [why, failure] of [["away", new TypeError("no network")], ["busy", { status: 503 }], ["broken", { status: 500 }]]) {
  test(`a service that is ${why} is asked again a minute later`, async () => {
    answer = failure;
    await ring();
    assert.equal(asked.length, 1, "no retry: the next minute is soon enough");
    assert.deepEqual(called("notify"), []);
    assert.equal(isStopped(), false);
  });
}

for (const [why, options] of [
  ["the setting is off", { settings: { ...SETTINGS, notify: false } }],
  ["the computer is shared", { settings: { ...SETTINGS, sharedComputer: true } }],
  ["no service is set", { settings: { ...SETTINGS, server: "" } }],
  ["the permission was taken back", { granted: [] }],
  ["nothing was saved", { written: null }],
  ["the owner token is not known", { written: { ...WRITTEN, ownerToken: "" } }],
  ["it is known to be opened", { written: { ...WRITTEN, isOpened: true } }],
]) {
  test(`nobody is asked where ${why}`, async () => {
    start(options);
    await ring();
    assert.deepEqual(asked, []);
    assert.deepEqual(called("notify"), []);
    assert.ok(isStopped());
  });
}

test("another text that was saved meanwhile is not taken for opened", async () => {
  answer = { state: "loaded", first_loaded_at: OPENED_AT };
  const { fetch } = globalThis;
  globalThis.fetch = async (...request) => {
    if (String(request[0]).startsWith(SERVER)) await browser.storage.session.set({ written: { ...WRITTEN, code: "kGaT" } });
    return fetch(...request);
  };
  await ring();
  assert.equal(browser.storage.session.values.written.isOpened, undefined);
  assert.equal(isStopped(), false);
});

test("asking begins with a saved text, each minute", async () => {
  await startAsking(SETTINGS);
  assert.deepEqual(called("createAlarm"), [[NOTIFY_ALARM, { periodInMinutes: 1 }]]);
});

for (const [why, settings, written] of [
  ["it is not wanted", DEFAULT_SETTINGS, WRITTEN],
  ["the computer is shared", { ...SETTINGS, sharedComputer: true }, WRITTEN],
  ["nothing was saved", SETTINGS, null],
  ["it is known to be opened", SETTINGS, { ...WRITTEN, isOpened: true }],
]) {
  test(`asking does not begin where ${why}`, async () => {
    start({ written });
    await startAsking(settings);
    assert.deepEqual(called("createAlarm"), []);
  });
}

test("what the receipt of an open popup says needs no notification", async () => {
  const api = noteOpened({ status: async () => ({ state: "loaded", firstLoadedAt: 1, refused: 0, secondsLeft: 60 }) });
  assert.equal((await api.status("wUrp", "token")).firstLoadedAt, 1);
  assert.equal(browser.storage.session.values.written.isOpened, true);
  assert.ok(isStopped());
  answer = { state: "loaded", first_loaded_at: OPENED_AT };
  await ring();
  assert.deepEqual(called("notify"), []);
});

test("a receipt that says nothing yet, or of another text, leaves it to the alarm", async () => {
  const receipt = { state: "waiting", firstLoadedAt: null, refused: 0, secondsLeft: 60 };
  await noteOpened({ status: async () => receipt }).status("wUrp", "token");
  await noteOpened({ status: async () => ({ ...receipt, firstLoadedAt: 1 }) }).status("kGaT", "token");
  assert.equal(browser.storage.session.values.written.isOpened, undefined);
  assert.equal(isStopped(), false);
});
