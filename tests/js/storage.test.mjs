import assert from "node:assert/strict";
import { test } from "node:test";

import { makeHistory } from "../../extension/core/history.js";
import { coalesceWrites } from "../../extension/core/coalesce.js";
import { readLegacy, removeLegacy } from "../../extension/core/legacy.js";
import { makeNotes } from "../../extension/core/notes.js";
import { newDraft, clearServiceData, makeSession } from "../../extension/core/session.js";
import { DEFAULT_SETTINGS, makeSettings, parseServer } from "../../extension/core/settings.js";
import { makeStorageItem } from "../../extension/core/storage.js";
import { makeArea } from "./support/browser.mjs";

const DAY = 86_400_000;

const SERVERS = {
  "https://example.org": "https://example.org/",
  " example.org ": "https://example.org/",
  "https://example.org/memo": "https://example.org/memo/",
  "https://example.org/memo/?x=1#y": "https://example.org/memo/",
  "https://example.org:8443/": "https://example.org:8443/",
  "http://localhost:8000": "http://localhost:8000/",
  "http://127.0.0.1:8000/": "http://127.0.0.1:8000/",
  "http://example.org": null,
  "http://localhost.example.org": null,
  "http://127.0.0.1.example.org": null,
  "ftp://example.org": null,
  "data:text/html,x": null,
  "https://name:secret@example.org": null,
  "https://": null,
  "": null,
};

for (const [given, address] of Object.entries(SERVERS)) {
  test(`the server ${JSON.stringify(given)}`, () => assert.equal(parseServer(given), address));
}

test("settings are the usual ones, then the package's, then the user's", async () => {
  const local = makeArea();
  const settings = makeSettings(local, { server: "https://example.org/" });
  assert.deepEqual(await settings.get(), { ...DEFAULT_SETTINGS, server: "https://example.org/" });
  await settings.change({ history: false });
  await settings.change({ language: "ko" });
  assert.deepEqual(local.values, { settings: { history: false, language: "ko" } });
  assert.equal((await settings.get()).history, false);
});

test("the setting of version 2.0.0 for a shared computer still holds, and is stored under its new name", async () => {
  const local = makeArea({ settings: { borrowed: true, lifetime: 60 } });
  const settings = makeSettings(local);
  assert.deepEqual(await settings.get(), { ...DEFAULT_SETTINGS, sharedComputer: true, lifetime: 60 });
  await settings.change({ history: false });
  assert.deepEqual(local.values, { settings: { sharedComputer: true, lifetime: 60, history: false } });
  await settings.change({ sharedComputer: false });
  assert.equal((await settings.get()).sharedComputer, false);
});

test("a history of version 2.0.0 is read, and can be removed", async () => {
  const old = { code: "wUrp", deed: "saved", at: 1_000, expiresAt: 61_000, once: true, isSealed: false };
  const local = makeArea({ history: [old, { ...old, deed: "loaded" }] });
  const history = makeHistory(local, () => 2_000);
  const [saved, loaded] = await history.list();
  assert.deepEqual(saved, { code: "wUrp", action: "saved", at: 1_000, expiresAt: 61_000, once: true, isSealed: false });
  assert.equal(loaded.action, "loaded");
  await history.remove(saved);
  assert.deepEqual(await history.list(), [loaded]);
});

test("the session of version 2.0.0 is read: its keys have not changed", async () => {
  const values = { draft: 1, typed: 2, outbox: 3, asked: 4, written: 5, shown: 6, tab: 7, notice: 8, handed: 9 };
  const items = Object.values(makeSession(makeArea(values), false));
  assert.deepEqual(await Promise.all(items.map((item) => item.get())), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const keys = Object.keys(makeSession(makeArea(), false));
  assert.deepEqual(keys, ["draft", "typedCode", "outbox", "loadAttempt", "savedCode", "loadedText", "tab", "notice", "backgroundWrite"]);
});

test("the history has the newest first, each action and code once, and drops what is long gone", async () => {
  let now = 1_000;
  const history = makeHistory(makeArea(), () => now);
  await history.add("saved", "wUrp", 60);
  await history.add("loaded", "wUrp", 60);
  now += 1_000;
  await history.add("saved", "wUrp", 60);
  assert.deepEqual(
    (await history.list()).map(({ action, at, expiresAt }) => [action, at, expiresAt]),
    [["saved", 2_000, 62_000], ["loaded", 1_000, 61_000]],
  );
  now = 61_000 + DAY;
  assert.deepEqual((await history.list()).map(({ action }) => action), ["saved"]);
  history.setCoolDown(2 * (DAY / 1000));
  assert.equal((await history.list()).length, 2);
  history.setCoolDown(60);
  assert.deepEqual(await history.list(), []);
});

test("one entry is forgotten, or all; 100 are stored", async () => {
  const local = makeArea();
  const history = makeHistory(local);
  for (let count = 0; count < 101; count += 1) await history.add("saved", `a${String.fromCharCode(97 + (count % 26))}bc${count}`, 60);
  const [first, ...rest] = await history.list();
  assert.equal(rest.length, 99);
  await history.remove(first);
  assert.deepEqual(await history.list(), rest);
  await history.removeAll();
  assert.deepEqual(local.values, {});
});

test("notes are stored, changed and removed one by one", async () => {
  const local = makeArea({ other: 1 });
  const notes = makeNotes(local);
  const { id } = await notes.add("wUrp", "one");
  const other = await notes.add("aaaa", "two");
  await notes.set({ id, code: "wUrp", text: "one more" });
  assert.deepEqual((await notes.list()).map(({ text }) => text), ["two", "one more"]);
  await notes.remove(other.id);
  assert.deepEqual((await notes.list()).map(({ code }) => code), ["wUrp"]);
});

test("a stored slot holds one thing", async () => {
  const session = makeArea();
  const slot = makeStorageItem(session, "outbox");
  assert.equal(await slot.get(), null);
  await slot.set({ key: "k" });
  assert.deepEqual(await slot.get(), { key: "k" });
  await slot.set(null);
  assert.deepEqual(session.values, {});
});

test("of values that wait to be written only the newest is written", async () => {
  const written = [];
  const waiting = [];
  const write = coalesceWrites((value) => {
    written.push(value);
    return new Promise((resolve, reject) => waiting.push(value === 2 ? resolve : reject));
  });
  for (const value of [1, 2]) write(value);
  for (const value of [3, 4]) write(value);
  assert.deepEqual(written, [1]);
  waiting.shift()(new Error("the quota is spent"));
  await new Promise(setImmediate);
  assert.deepEqual(written, [1, 4]);
});

test("on a shared computer the session holds what was handed over and the tab, nothing else", async () => {
  const session_ = makeArea();
  const { backgroundWrite, notice, tab, ...own } = makeSession(session_, true);
  assert.equal(await notice.get(), null);
  for (const slot of Object.values(own)) await slot.set("x");
  assert.deepEqual(session_.values, {});
  assert.equal(await own.draft.get(), "x");
  await backgroundWrite.set({ key: "k" });
  await tab.set("tab-load");
  assert.deepEqual(Object.keys(session_.values).sort(), ["handed", "tab"]);
});

test("a full area does not prevent saving or reading", async () => {
  const full = { ...makeArea(), set: async () => Promise.reject(new Error("the quota is spent")) };
  const { draft, outbox } = makeSession(full, false);
  await draft.set(newDraft("long"));
  await outbox.set({ key: "k" });
});

test("another service gets no token and no text of the one before; drafts and tabs stay", async () => {
  const session_ = makeArea();
  const slots = makeSession(session_, false);
  for (const slot of Object.values(slots)) await slot.set("x");
  await clearServiceData(session_);
  assert.deepEqual(Object.keys(session_.values).sort(), ["draft", "notice", "shown", "tab", "typed"]);
});

/** `localStorage` of a browser, with this in it. */
function storage(values) {
  const made = { ...values };
  const methods = { getItem: (key) => made[key] ?? null, removeItem: (key) => void delete made[key] };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(made, name, { value });
  return made;
}

test("notes, history and draft of extension 1.x are read", () => {
  const left = storage({
    state: JSON.stringify({ wrtext: "a draft", wrdelete_at: "1h", ldcode: "", ldtext: "", activeTab: "save" }),
    savehistory: JSON.stringify({ 0: "aaaa", 1: "bbbb" }),
    loadhistory: JSON.stringify({ 0: "cccc", 1: "no code" }),
    newtab1: JSON.stringify({ buttontab: "dddd", newtext: "a note\nof two lines" }),
    newtab2: "{ torn",
    unrelated: "kept",
  });
  const { entries, notes, draft } = readLegacy(left);
  assert.deepEqual(entries.map(({ code, action }) => [code, action]), [["bbbb", "saved"], ["aaaa", "saved"], ["cccc", "loaded"]]);
  assert.deepEqual([notes, draft], [[{ key: "newtab1", code: "dddd", text: "a note\nof two lines" }], "a draft"]);
  removeLegacy(left);
  assert.deepEqual(Object.keys(left), ["unrelated"]);
  assert.equal(readLegacy(left), null);
});

test("a code in the history ends before its time, or lives longer; others and an empty history stay as they are", async () => {
  const local = makeArea();
  const history = makeHistory(local, () => 1_000);
  await history.setEnd("wUrp");
  assert.deepEqual(local.values, {});
  await history.add("saved", "aaaa", 60);
  await history.add("saved", "wUrp", 60);
  const ends = async () => (await history.list()).map(({ code, expiresAt }) => [code, expiresAt]);
  await history.setEnd("wUrp", 90_000);
  assert.deepEqual(await ends(), [["wUrp", 90_000], ["aaaa", 61_000]]);
  await history.setEnd("wUrp");
  assert.deepEqual(await ends(), [["wUrp", 1_000], ["aaaa", 61_000]]);
});
