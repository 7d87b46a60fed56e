import assert from "node:assert/strict";
import { test } from "node:test";

import { makeHistory } from "../../extension/core/history.js";
import { latest } from "../../extension/core/latest.js";
import { readLegacy, removeLegacy } from "../../extension/core/legacy.js";
import { makeNotes } from "../../extension/core/notes.js";
import { draftOf, leaveService, makeSession } from "../../extension/core/session.js";
import { USUAL_SETTINGS, makeSettings, readServer } from "../../extension/core/settings.js";
import { makeStorageItem } from "../../extension/core/storageItem.js";

const DAY = 86_400_000;

/** A storage area as browsers have it: values go through JSON. */
function area(kept = {}) {
  const copy = (value) => JSON.parse(JSON.stringify(value));
  return {
    kept,
    get: async (key) => (key === null ? copy(kept) : key in kept ? { [key]: copy(kept[key]) } : {}),
    set: async (values) => void Object.assign(kept, copy(values)),
    remove: async (key) => void delete kept[key],
  };
}

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
  test(`the server ${JSON.stringify(given)}`, () => assert.equal(readServer(given), address));
}

test("settings are the usual ones, then the package's, then a person's", async () => {
  const local = area();
  const settings = makeSettings(local, { server: "https://example.org/" });
  assert.deepEqual(await settings.get(), { ...USUAL_SETTINGS, server: "https://example.org/" });
  await settings.change({ history: false });
  await settings.change({ language: "ko" });
  assert.deepEqual(local.kept, { settings: { history: false, language: "ko" } });
  assert.equal((await settings.get()).history, false);
});

test("the history has the newest first, each deed and code once, and drops what is long gone", async () => {
  let now = 1_000;
  const history = makeHistory(area(), () => now);
  await history.note("saved", "wUrp", 60);
  await history.note("loaded", "wUrp", 60);
  now += 1_000;
  await history.note("saved", "wUrp", 60);
  assert.deepEqual(
    (await history.list()).map(({ deed, at, expiresAt }) => [deed, at, expiresAt]),
    [["saved", 2_000, 62_000], ["loaded", 1_000, 61_000]],
  );
  now = 61_000 + DAY;
  assert.deepEqual((await history.list()).map(({ deed }) => deed), ["saved"]);
  history.applyLimits(2 * (DAY / 1000));
  assert.equal((await history.list()).length, 2);
  history.applyLimits(60);
  assert.deepEqual(await history.list(), []);
});

test("one entry is forgotten, or all; 100 are kept", async () => {
  const local = area();
  const history = makeHistory(local);
  for (let count = 0; count < 101; count += 1) await history.note("saved", `a${String.fromCharCode(97 + (count % 26))}bc${count}`, 60);
  const [first, ...rest] = await history.list();
  assert.equal(rest.length, 99);
  await history.forget(first);
  assert.deepEqual(await history.list(), rest);
  await history.forgetAll();
  assert.deepEqual(local.kept, {});
});

test("notes are kept, changed and removed one by one", async () => {
  const local = area({ other: 1 });
  const notes = makeNotes(local);
  const { id } = await notes.add("wUrp", "one");
  const other = await notes.add("aaaa", "two");
  await notes.put({ id, code: "wUrp", text: "one more" });
  assert.deepEqual((await notes.list()).map(({ text }) => text), ["two", "one more"]);
  await notes.remove(other.id);
  assert.deepEqual((await notes.list()).map(({ code }) => code), ["wUrp"]);
});

test("a stored item holds one thing", async () => {
  const session = area();
  const item = makeStorageItem(session, "outbox");
  assert.equal(await item.get(), null);
  await item.put({ key: "k" });
  assert.deepEqual(await item.get(), { key: "k" });
  await item.put(null);
  assert.deepEqual(session.kept, {});
});

test("of what waits to be written only the newest is", async () => {
  const written = [];
  const waiting = [];
  const write = latest((value) => {
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
  const session_ = area();
  const { handed, notice, tab, ...own } = makeSession(session_, true);
  assert.equal(await notice.get(), null);
  for (const item of Object.values(own)) await item.put("x");
  assert.deepEqual(session_.kept, {});
  assert.equal(await own.draft.get(), "x");
  await handed.put({ key: "k" });
  await tab.put("tab-load");
  assert.deepEqual(Object.keys(session_.kept).sort(), ["handed", "tab"]);
});

test("a full area keeps nobody from saving or reading", async () => {
  const full = { ...area(), set: async () => Promise.reject(new Error("the quota is spent")) };
  const { draft, outbox } = makeSession(full, false);
  await draft.put(draftOf("long"));
  await outbox.put({ key: "k" });
});

test("another service gets no token and no text of the one before; drafts and tabs stay", async () => {
  const session_ = area();
  const items = makeSession(session_, false);
  for (const item of Object.values(items)) await item.put("x");
  await leaveService(session_);
  assert.deepEqual(Object.keys(session_.kept).sort(), ["draft", "notice", "shown", "tab", "typed"]);
});

/** `localStorage` of a browser, with this in it. */
function storage(kept) {
  const made = { ...kept };
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
  assert.deepEqual(entries.map(({ code, deed }) => [code, deed]), [["bbbb", "saved"], ["aaaa", "saved"], ["cccc", "loaded"]]);
  assert.deepEqual([notes, draft], [[{ key: "newtab1", code: "dddd", text: "a note\nof two lines" }], "a draft"]);
  removeLegacy(left);
  assert.deepEqual(Object.keys(left), ["unrelated"]);
  assert.equal(readLegacy(left), null);
});
