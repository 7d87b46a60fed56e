import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { NoText } from "../../extension/core/errors.js";
import { makeSaver, newWrite } from "../../extension/core/saving.js";
import { makeSession, newDraft } from "../../extension/core/session.js";
import { forgetCode, restorePanels, resumePendingWrite, storedCode, updateCode } from "../../extension/ui/restore.js";
import { makeArea } from "./support/browser.mjs";

const SHOWN = {
  code: "wUrp", ownerToken: "token", secondsLeft: 60, isSealed: false, once: true, phrase: "one two", text: "hello", savedAt: 5,
};

let items;
/** What the panels were asked to do. */
let asked;
let save;
let load;

beforeEach(() => {
  items = makeSession(makeArea(), false);
  asked = [];
  const note = (name) => (...given) => void asked.push([name, ...given]);
  save = {
    isEmpty: () => true,
    restore: note("restore"),
    showCode: note("show code"),
    async resumeUpload(saver, isForm) {
      asked.push(["resume", isForm]);
      await saver.resume();
      await saver.markStored();
    },
  };
  load = { fill: note("fill"), show: note("show text") };
});

test("a saved code is stored with its end and its text", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000 });
  const { secondsLeft, ...known } = SHOWN;
  assert.equal(secondsLeft, 60);
  assert.deepEqual(storedCode(SHOWN), { ...known, expiresAt: 61_000 });
});

test("the text of an encrypted one is not stored: it would be unencrypted there", () => {
  const stored = storedCode({ ...SHOWN, isSealed: true });
  assert.equal(stored.text, "");
  assert.equal(JSON.stringify(stored).includes("hello"), false);
});

test("a stored code comes back as it was shown, and says that it is not new", async () => {
  await items.savedCode.set(storedCode({ ...SHOWN, secondsLeft: 60.5 }));
  assert.equal(await restorePanels({ api: null, sessionItems: items, save, load }), false);
  assert.deepEqual(asked, [["show code", SHOWN, true]]);
});

test("a code whose text has ended is forgotten", async () => {
  await items.savedCode.set(storedCode({ ...SHOWN, secondsLeft: -60 }));
  const api = { status: async () => Promise.reject(new NoText()) };
  await restorePanels({ api, sessionItems: items, save, load });
  assert.deepEqual(asked, []);
  assert.equal(await items.savedCode.get(), null);
});

test("a draft and the letters of a code come back", async () => {
  const draft = newDraft("a draft");
  await items.draft.set(draft);
  await items.typedCode.set("wU");
  await items.savedCode.set(storedCode(SHOWN));
  assert.equal(await restorePanels({ api: null, sessionItems: items, save, load }), true);
  // The draft is newer than the code.
  assert.deepEqual(asked, [["restore", draft], ["fill", "wU"]]);
});

/** Continue a write in the outbox, with this draft; returns the requests. */
async function resume(draft, outbox = newWrite({ text: "hello", expiresIn: 600 })) {
  const sent = [];
  const api = { write: async (body, key) => (sent.push([body.text, key]), { code: "wUrp", ownerToken: "t", secondsLeft: 600 }) };
  await items.outbox.set(outbox);
  await items.draft.set(draft);
  await resumePendingWrite(items, save, makeSaver({ api, outbox: items.outbox }));
  return { sent, key: outbox?.key };
}

test("a write whose end nobody saw is sent again under its key, and is no more under way", async () => {
  const { sent, key } = await resume({ ...newDraft("hello"), sent: true });
  assert.deepEqual(asked, [["resume", true]]);
  assert.deepEqual(sent, [["hello", key]]);
  assert.equal(await items.outbox.get(), null);
});

test("a locked one stays in the form", async () => {
  await resume({ ...newDraft("hello"), sent: true, locked: true });
  assert.deepEqual(asked, [["resume", false]]);
});

for (const [what, draft] of [["was changed since", newDraft("hello, changed")], ["is gone", null]]) {
  test(`a write whose draft ${what} is not sent, and is forgotten`, async () => {
    const { sent } = await resume(draft);
    assert.deepEqual([sent, asked], [[], []]);
    assert.equal(await items.outbox.get(), null);
  });
}

test("where nothing is under way nothing is sent", async () => {
  const { sent } = await resume({ ...newDraft("hello"), sent: true }, null);
  assert.deepEqual([sent, asked], [[], []]);
});

test("a code that ends is forgotten, another one stays", async () => {
  const stored = storedCode(SHOWN);
  await items.savedCode.set(stored);
  await forgetCode(items.savedCode, "aaaa");
  assert.deepEqual(await items.savedCode.get(), stored);
  await forgetCode(items.savedCode, "wUrp");
  assert.equal(await items.savedCode.get(), null);
});

test("a code that lives longer is stored with its new end, another one as it was", async () => {
  const stored = storedCode(SHOWN);
  await items.savedCode.set(stored);
  await updateCode(items.savedCode, { ...SHOWN, code: "aaaa", secondsLeft: 9_000 });
  assert.deepEqual(await items.savedCode.get(), stored);
  await updateCode(items.savedCode, { ...SHOWN, secondsLeft: 9_000 });
  const { expiresAt, ...others } = await items.savedCode.get();
  assert.ok(Math.abs(expiresAt - Date.now() - 9_000_000) < 5_000);
  assert.deepEqual({ ...others, expiresAt: stored.expiresAt }, stored);
});
