import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { readBuildConfig } from "../../extension/browser/buildConfig.js";
import { importLegacy } from "../../extension/browser/legacy.js";
import { makeWipeButton, reloadAfterWipe } from "../../extension/browser/wipe.js";
import { installBrowser } from "./support/browser.mjs";
import { FakeElement, fakeI18n, installDocument, makeLocalStorage } from "./support/document.mjs";

const NOTE = { id: "1", code: "wUrp", text: "a note" };
const LEGACY = {
  newtab1: JSON.stringify({ buttontab: "wUrp", newtext: "an old note" }),
  savehistory: JSON.stringify({ 0: "aaaa" }),
  state: JSON.stringify({ wrtext: "an old draft" }),
  unrelated: "stays",
};

let clipboard;
let reloads;

beforeEach(() => {
  ({ clipboard } = installDocument());
  clipboard.text = "copied";
  reloads = 0;
  globalThis.location.reload = () => void (reloads += 1);
  globalThis.localStorage = makeLocalStorage({ old: "1" });
});

function wipeButton() {
  const button = new FakeElement("button");
  button.dataset.i18n = "wipe";
  makeWipeButton(button, fakeI18n);
  return button;
}

test("one click wipes both storage areas, the old storage, the alarms and the clipboard", async () => {
  const browser = installBrowser({ local: { settings: {}, history: [] }, session: { draft: "x" } });
  await wipeButton().emit("click");
  assert.deepEqual([browser.storage.local.values, browser.storage.session.values], [{}, {}]);
  assert.deepEqual(Object.keys(globalThis.localStorage), []);
  assert.deepEqual(browser.calls, [["clearAlarms"]]);
  assert.deepEqual([clipboard.text, reloads], ["", 1]);
});

test("without stored settings the other pages are told, and load themselves anew", async () => {
  const browser = installBrowser({ session: { live: "x" } });
  await wipeButton().emit("click");
  const message = browser.calls.find(([name]) => name === "sendMessage")[1];
  assert.equal(reloads, 1);
  reloadAfterWipe();
  await browser.runtime.onMessage.emit("another");
  assert.equal(reloads, 1);
  await browser.runtime.onMessage.emit(message);
  assert.equal(reloads, 2);
});

test("with notes a second click is needed", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const browser = installBrowser({ local: { "note:1": NOTE } });
  const button = wipeButton();
  await button.emit("click");
  assert.deepEqual([button.textContent, clipboard.text, reloads], ["wipe_confirm", "copied", 0]);
  context.mock.timers.tick(5_000);
  assert.equal(button.textContent, "wipe");
  await button.emit("click");
  assert.notDeepEqual(browser.storage.local.values, {});
  await button.emit("click");
  assert.deepEqual([browser.storage.local.values, clipboard.text, reloads], [{}, "", 1]);
});

test("the settings go last: a popup reloads as soon as they are gone", async () => {
  const browser = installBrowser({ local: { settings: {} } });
  let before;
  browser.storage.local.clear = async () => {
    before = [clipboard.text, Object.keys(globalThis.localStorage).length];
  };
  await wipeButton().emit("click");
  assert.deepEqual(before, ["", 0]);
});

test("what extension 1.x left is stored as this version stores it, and removed there", async () => {
  const browser = installBrowser();
  globalThis.localStorage = makeLocalStorage(LEGACY);
  await importLegacy();
  const { history, ...notes } = browser.storage.local.values;
  assert.deepEqual(Object.values(notes).map(({ code, text }) => [code, text]), [["wUrp", "an old note"]]);
  assert.deepEqual(history, [{ code: "aaaa", action: "saved", at: null, expiresAt: null }]);
  assert.equal(browser.storage.session.values.draft.text, "an old draft");
  assert.deepEqual(Object.keys(globalThis.localStorage), ["unrelated"]);
  await importLegacy();
  assert.equal(browser.storage.local.values.history.length, 1);
});

test("without a draft in extension 1.x the draft of this version stays", async () => {
  const browser = installBrowser({ session: { draft: "new" } });
  globalThis.localStorage = makeLocalStorage({ savehistory: LEGACY.savehistory });
  await importLegacy();
  assert.equal(browser.storage.session.values.draft, "new");
});

test("what does not fit stays with extension 1.x", async () => {
  const browser = installBrowser();
  browser.storage.local.isFull = true;
  globalThis.localStorage = makeLocalStorage(LEGACY);
  await assert.rejects(importLegacy(), /quota/);
  assert.deepEqual(Object.keys(globalThis.localStorage), Object.keys(LEGACY));
});

test("a note that was stored is not imported twice when the next one does not fit", async () => {
  const browser = installBrowser();
  globalThis.localStorage = makeLocalStorage({ ...LEGACY, newtab2: LEGACY.newtab1 });
  const { set } = browser.storage.local;
  browser.storage.local.set = async (values) => {
    await set.call(browser.storage.local, values);
    browser.storage.local.isFull = true;
  };
  await assert.rejects(importLegacy(), /quota/);
  assert.deepEqual(Object.keys(globalThis.localStorage).filter((key) => key.startsWith("newtab")), ["newtab2"]);
});

test("the build's configuration is a file of the package", async () => {
  installBrowser({ serviceJson: { server: "https://example.org/" } });
  assert.deepEqual(await readBuildConfig(), { server: "https://example.org/" });
});
