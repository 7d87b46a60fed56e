import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makePageStorage } from "../../saver/web/pageStorage.js";
import { makeLiveItems, makeSession, newDraft } from "../../extension/core/session.js";
import { FakeElement, fakeI18n, installDocument } from "./support/document.mjs";

let tab;
let checkbox;
let status;
let storage;

/** The page's storage, as it is made whenever the page is loaded. */
function load() {
  [checkbox, status] = [new FakeElement("input"), new FakeElement("p")];
  storage = makePageStorage(tab, checkbox, status, fakeI18n);
}

beforeEach(() => {
  installDocument();
  const values = new Map();
  tab = {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
  };
  load();
});

async function tick(isChecked) {
  checkbox.checked = isChecked;
  await checkbox.emit("change");
}

test("what is stored comes back after the page was loaded again, and can be removed", async () => {
  const items = makeSession(storage, false);
  assert.equal(await items.draft.get(), null);
  await items.draft.set(newDraft("hello"));
  load();
  assert.deepEqual(await makeSession(storage, false).draft.get(), newDraft("hello"));
  await makeSession(storage, false).draft.set(null);
  assert.deepEqual(await storage.get("draft"), {});
  assert.equal(tab.values.size, 0);
});

test("on a shared computer everything is removed at once, and nothing more is stored", async () => {
  await storage.set({ draft: newDraft("hello"), written: { code: "wUrp" } });
  await tick(true);
  assert.equal(status.textContent, "not_my_computer_on");
  await storage.set({ draft: newDraft("another") });
  assert.doesNotMatch(JSON.stringify([...tab.values]), /hello|another|wUrp/);
  assert.deepEqual(await storage.get("draft"), {});
});

test("on a shared computer the page knows which letters were tried, and does not store them", async () => {
  const { attempts } = makeLiveItems(storage, false);
  const [first, second] = [{ number: 7, letters: "wUrp", at: 1 }, { number: 7, letters: "wUrq", at: 2 }];
  await attempts.set([first]);
  await tick(true);
  assert.deepEqual(await attempts.get(), [first]);
  await attempts.set([first, second]);
  assert.deepEqual(await attempts.get(), [first, second]);
  assert.doesNotMatch(JSON.stringify([...tab.values]), /wUr/);
});

test("the tick itself outlives the page, or it would be forgotten on the way back", async () => {
  assert.equal(checkbox.checked, false);
  await tick(true);
  load();
  assert.equal(checkbox.checked, true);
  await storage.set({ draft: newDraft("hello") });
  assert.deepEqual(await storage.get("draft"), {});
});

test("without the tick it is stored again", async () => {
  await tick(true);
  await tick(false);
  assert.equal(status.textContent, "");
  await storage.set({ typed: "wU" });
  assert.deepEqual(await storage.get("typed"), { typed: "wU" });
  load();
  assert.equal(checkbox.checked, false);
});

test("a full storage keeps nobody from a text", async () => {
  tab.setItem = () => {
    throw new Error("the quota is spent");
  };
  await makeSession(storage, false).draft.set(newDraft("hello"));
});

test("where a browser stores nothing, the page works without it", async () => {
  tab = null;
  load();
  await makeSession(storage, false).draft.set(newDraft("hello"));
  assert.deepEqual(await storage.get("draft"), {});
  await storage.remove("draft");
  await tick(true);
  assert.equal(status.textContent, "not_my_computer_on");
});
