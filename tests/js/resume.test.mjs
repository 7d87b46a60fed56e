import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { resumeSession } from "../../extension/browser/resume.js";
import { NoText, Unreachable } from "../../extension/core/errors.js";
import { makeSaver, newWrite } from "../../extension/core/saving.js";
import { makeSession, newDraft } from "../../extension/core/session.js";
import { installBrowser } from "./support/browser.mjs";
import { installDocument } from "./support/document.mjs";

const IN_A_MINUTE = () => Date.now() + 60_500;
const A_MINUTE_AGO = () => Date.now() - 60_000;
const CODE = { code: "wUrp", ownerToken: "token", isSealed: true, once: true, phrase: "one two", text: "", savedAt: 1 };

let browser;
let document;

beforeEach(() => {
  browser = installBrowser();
  ({ document } = installDocument());
});

/** A popup that opens with these values in the session storage; `shown` has what its panels were asked to do. */
async function open(stored = {}, { isEmpty = true, status = async () => assert.fail("asked"), writes = [] } = {}) {
  Object.assign(browser.storage.session.values, stored);
  const shown = [];
  const note = (name) => (...values) => void shown.push([name, ...values]);
  const sessionItems = makeSession(browser.storage.session, false);
  const sent = [];
  const api = {
    status,
    write: async (body, key) => {
      sent.push([body.text, key]);
      const answer = writes.shift() ?? { code: "wUrp", ownerToken: "t", secondsLeft: 600 };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const save = {
    restore: note("restore draft"),
    showCode: note("show code"),
    say: note("say"),
    focus: note("focus save"),
    isEmpty: () => isEmpty,
    async resumeUpload(writer, isForm) {
      shown.push(["resume upload", isForm]);
      await writer.resume().then(writer.markStored, () => {});
    },
  };
  const load = { fill: note("fill code"), show: note("show text"), focus: note("focus load") };
  const tabs = {
    show(name) {
      shown.push(["tab", name]);
      return name;
    },
  };
  const saver = makeSaver({ api, outbox: sessionItems.outbox });
  await resumeSession({ api, sessionItems, saver, save, load, tabs });
  return { shown, sent, stored: browser.storage.session.values };
}

/** The background stores a value while the popup is open. */
async function store(key, value) {
  await browser.storage.session.set({ [key]: value });
  await browser.storage.session.onChanged.emit({ [key]: { newValue: value } });
  for (let count = 0; count < 10; count += 1) await new Promise(setImmediate);
}

test("a popup without anything stored shows its first tab, with no focus: a key may begin a code or a text", async () => {
  assert.deepEqual((await open()).shown, [["tab", "tab-text"]]);
  assert.equal(document.activeElement, document.body);
});

test("a draft gets the focus, to be gone on with", async () => {
  const draft = newDraft("a draft");
  assert.deepEqual((await open({ draft })).shown, [["restore draft", draft], ["tab", "tab-text"], ["focus save"]]);
});

test("a draft, a typed code and the tab come back", async () => {
  const draft = newDraft("a draft");
  const { shown } = await open({ draft, typed: "wUr", tab: "tab-load" });
  assert.deepEqual(shown, [["restore draft", draft], ["fill code", "wUr"], ["tab", "tab-text"], ["focus load"]]);
});

test("another tab gets the focus itself", async () => {
  await open({ tab: "tab-history" });
  assert.equal(document.activeElement, document.part("tab-history"));
});

test("a saved code comes back with its phrase and the time it has left", async () => {
  const { shown } = await open({ written: { ...CODE, expiresAt: IN_A_MINUTE() } });
  assert.deepEqual(shown[0], ["show code", { ...CODE, secondsLeft: 60 }, true]);
});

test("a code that has expired by this clock comes back if the service says that it lives", async () => {
  const asked = [];
  const status = async (...values) => {
    asked.push(values);
    return { state: "waiting", secondsLeft: 30 };
  };
  const { shown } = await open({ written: { ...CODE, expiresAt: A_MINUTE_AGO() } }, { status });
  assert.deepEqual(asked, [["wUrp", "token"]]);
  assert.deepEqual(shown[0], ["show code", { ...CODE, secondsLeft: 30 }, true]);
});

for (const error of [new NoText(), new Unreachable()]) {
  test(`an expired code is forgotten after ${error.name}`, async () => {
    const status = async () => Promise.reject(error);
    const { shown, stored } = await open({ written: { ...CODE, expiresAt: A_MINUTE_AGO() } }, { status });
    assert.equal(shown[0][0], "tab");
    assert.ok(!("written" in stored));
  });
}

test("a loaded text comes back until it expires; a one-time text stays", async () => {
  const text = { code: "wUrp", text: "hello", once: false };
  const living = await open({ shown: { ...text, expiresAt: IN_A_MINUTE() } });
  assert.deepEqual(living.shown[0], ["show text", { ...text, secondsLeft: 60 }]);
  const once = await open({ shown: { ...text, once: true, expiresAt: null } });
  assert.deepEqual(once.shown[0], ["show text", { ...text, once: true, secondsLeft: 0 }]);
  const expired = await open({ shown: { ...text, expiresAt: A_MINUTE_AGO() } });
  assert.equal(expired.shown[0][0], "tab");
  assert.ok(!("shown" in expired.stored));
});

test("a write that was under way is sent again under its key", async () => {
  const outbox = newWrite({ text: "hello", expiresIn: 600 });
  const { shown, sent, stored } = await open({ outbox, draft: { ...newDraft("hello"), sent: true } });
  assert.deepEqual(shown.at(-1), ["resume upload", true]);
  assert.deepEqual(sent, [["hello", outbox.key]]);
  assert.ok(!("outbox" in stored));
});

test("with a password the form keeps its text after the write", async () => {
  const outbox = newWrite({ text: "sealed", expiresIn: 600 });
  const { shown } = await open({ outbox, draft: { ...newDraft("hello"), sent: true, locked: true } });
  assert.deepEqual(shown.at(-1), ["resume upload", false]);
});

test("a write whose draft was changed since is not sent", async () => {
  const outbox = newWrite({ text: "hello", expiresIn: 600 });
  const { sent, stored } = await open({ outbox, draft: newDraft("hello, changed") });
  assert.deepEqual(sent, []);
  assert.ok(!("outbox" in stored));
});

test("an empty form takes a write of the background over, which is sent once", async () => {
  const handed = newWrite({ text: "selected", expiresIn: 600 });
  const { shown, sent, stored } = await open({ handed });
  assert.deepEqual(shown.slice(-3), [
    ["tab", "tab-text"],
    ["restore draft", { ...newDraft("selected"), sent: true }],
    ["resume upload", true],
  ]);
  assert.deepEqual(sent, [["selected", handed.key]]);
  assert.ok(!("handed" in stored));
  assert.equal(stored.draft.text, "selected");
});

test("without an answer the write is in the outbox and no longer with the background", async () => {
  const handed = newWrite({ text: "selected", expiresIn: 600 });
  const { stored } = await open({ handed }, { writes: [new Unreachable()] });
  assert.ok(!("handed" in stored));
  assert.deepEqual(stored.outbox, handed);
});

test("a form that is not empty stays, and the write stays with the background until it is saved", async () => {
  const handed = newWrite({ text: "selected", expiresIn: 600 });
  const failed = await open({ handed }, { isEmpty: false, writes: [new Unreachable()] });
  assert.deepEqual(failed.shown.at(-1), ["resume upload", false]);
  assert.deepEqual(failed.stored.handed, handed);
  assert.ok(!("outbox" in failed.stored));
  const saved = await open({}, { isEmpty: false });
  assert.deepEqual(saved.sent, [["selected", handed.key]]);
  assert.ok(!("handed" in saved.stored));
});

test("a write of the background is also taken while the popup is open", async () => {
  const { sent } = await open();
  await store("handed", newWrite({ text: "selected", expiresIn: 600 }));
  assert.equal(sent[0][0], "selected");
});

test("a notice of the background is shown once", async () => {
  const { shown, stored } = await open({ notice: "lines_lost", tab: "tab-load" });
  assert.deepEqual(shown.slice(-2), [["tab", "tab-text"], ["say", "lines_lost"]]);
  assert.ok(!("notice" in stored));
  await store("notice", "nothing_selected");
  assert.deepEqual(shown.at(-1), ["say", "nothing_selected"]);
});

test("a page that is not visible leaves both to the one that is", async () => {
  document.visibilityState = "hidden";
  const handed = newWrite({ text: "selected", expiresIn: 600 });
  const { shown, sent, stored } = await open({ handed, notice: "lines_lost" });
  assert.deepEqual([shown, sent], [[["tab", "tab-text"]], []]);
  assert.deepEqual([stored.handed, stored.notice], [handed, "lines_lost"]);
});
