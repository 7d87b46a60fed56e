import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Invalid, TooLarge, Unreachable } from "../../extension/core/errors.js";
import { DEFAULT_LIMITS } from "../../extension/core/limits.js";
import { makeSaver, newWrite } from "../../extension/core/saving.js";
import { newDraft } from "../../extension/core/session.js";
import { makeSavePanel } from "../../extension/ui/savePanel.js";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

let document;
let part;
let panel;
/** What goes to the service, and how it answers. */
let sent;
let write;
let status;
/** The callbacks that were called, in order, and the newest draft. */
let events;
let draft;
let copied;

beforeEach(() => {
  ({ document } = installDocument());
  ({ part } = document);
  sent = [];
  events = [];
  draft = null;
  copied = [];
  write = async () => ({ code: "wUrp", ownerToken: "token", secondsLeft: 600 });
  status = async () => ({ state: "waiting", firstLoadedAt: null, refused: 0, secondsLeft: 600 });
  const api = {
    write: async (body) => (sent.push(body), write()),
    status: async () => status(),
    remove: async (code) => void events.push(["removed", code]),
  };
  panel = makeSavePanel({
    root: document,
    saver: makeSaver({ api }),
    api,
    i18n: fakeI18n,
    linkOf: (code, marks) => `https://example.org/saver/#${code} ${JSON.stringify(marks)}`,
    copy: async (text) => Boolean(copied.push(text)),
    wordList: async () => ["aa", "bb"],
    onDraftChange: (given) => void (draft = given),
    onShown: async (shown) => void events.push(["shown", shown?.code]),
    onEnd: (code) => events.push(["ended", code]),
  });
  panel.applyLimits({ ...DEFAULT_LIMITS, max_text_bytes: 20 });
});

async function submit() {
  await part("save-form").emit("submit");
  await settled();
}

async function save(text) {
  part("text").value = text;
  await part("save-form").emit("input");
  await submit();
}

const said = (name) => part(name).textContent;
const focused = () => document.activeElement.dataset.part;

test("a saved text: the form makes room for its code, which can be copied", async () => {
  await save("hello");
  assert.deepEqual(sent.map(({ text, expiresIn, once }) => [text, expiresIn, once]), [["hello", 600, false]]);
  assert.deepEqual([part("save-form").hidden, part("saved").hidden], [true, false]);
  assert.deepEqual([said("code"), said("saved-news"), focused()], ["wUrp", "saved", "copy-code"]);
  assert.deepEqual(part("where").values, { address: "example.org/saver" });
  assert.equal(part("saved-before").hidden, true);
  assert.deepEqual([draft.text, part("text").value], ["", ""]);
  await part("copy-code").emit("click");
  assert.deepEqual([copied, said("saved-status")], [["wUrp"], "code_copied"]);
  assert.equal(panel.copied().text, "wUrp");
});

test("what holds for a text is said of it", async () => {
  part("once").checked = true;
  await save("hello");
  assert.match(part("saved-facts").values.facts, /^fact_once · fact_until \d+$/);
});

test("what cannot be saved is not sent", async () => {
  await submit();
  assert.deepEqual([said("save-alert"), focused()], ["empty_text", "text"]);
  await save("more than twenty bytes");
  assert.equal(said("save-alert"), "too_large");
  assert.deepEqual(sent, []);
});

for (const [error, message, field] of [[new TooLarge(), "too_large", "text"], [new Invalid("text", ""), "invalid_text", "text"], [new Unreachable(), "unreachable", null]]) {
  test(`after ${error.name} the text is still there`, async () => {
    write = async () => Promise.reject(error);
    await save("hello");
    assert.deepEqual([said("save-alert"), part("text").value, part("text").readOnly], [message, "hello", false]);
    assert.equal(part("text").getAttribute("aria-invalid"), field && "true");
    assert.deepEqual([said("save"), part("save").disabled], ["save", false]);
  });
}

test("a refused password is shown, to be mended", async () => {
  write = async () => Promise.reject(new Invalid("password", ""));
  await save("hello");
  assert.deepEqual([part("options").hidden, focused(), said("save-alert")], [false, "password", "invalid_password"]);
});

test("while a text is on its way nothing is added to it: it would be cleared with it", async () => {
  let answer;
  write = () => new Promise((resolve) => void (answer = resolve));
  await save("hello");
  assert.equal(part("text").readOnly, true);
  panel.insert(" more");
  assert.equal(part("text").value, "hello");
  answer({ code: "wUrp", ownerToken: "token", secondsLeft: 600 });
  await settled();
  assert.equal(said("code"), "wUrp");
  panel.insert("another");
  assert.equal(part("text").value, "another");
});

test("a draft that was to be locked is not saved open by a second Enter", async () => {
  panel.restore({ ...newDraft("hello"), locked: true });
  await submit();
  await submit();
  assert.deepEqual(sent, []);
  assert.deepEqual([said("save-alert"), part("options").hidden, part("save-open").hidden], ["password_again", false, false]);
  assert.equal(focused(), "password");
  await part("save-open").emit("click");
  await settled();
  assert.equal(sent[0].text, "hello");
});

test("a text that is put in takes the place of a code, and goes where the cursor is", async () => {
  await save("hello");
  panel.insert("first");
  assert.deepEqual([part("save-form").hidden, part("saved").hidden, focused()], [false, true, "text"]);
  assert.deepEqual(events.at(-1), ["shown", "wUrp"], "the code is kept until another one comes");
  Object.assign(part("text"), { selectionStart: 0, selectionEnd: 0 });
  panel.insert("the ");
  assert.equal(part("text").value, "the first");
});

test("another text: the code goes, and the form is there again", async () => {
  await save("hello");
  await part("again").emit("click");
  assert.deepEqual([part("save-form").hidden, part("saved").hidden, focused()], [false, true, "text"]);
  assert.deepEqual(events.at(-1), ["shown", undefined]);
  assert.equal(panel.copied(), null);
});

test("a saved text can be changed and saved again, under another code", async () => {
  part("once").checked = true;
  await save("hello");
  assert.equal(part("edit").hidden, false);
  await part("edit").emit("click");
  assert.deepEqual([part("text").value, part("once").checked, said("save-notice")], ["hello", true, "edit_hint"]);
  assert.deepEqual(part("save-notice").values, { code: "wUrp" });
  assert.equal(draft.text, "hello");
  await submit();
  assert.equal(said("save-notice"), "");
  assert.equal(sent.length, 2);
});

test("a code that comes back says that it is not new; without its text there is nothing to change", () => {
  const stored = { code: "wUrp", ownerToken: "", secondsLeft: 60, isSealed: true, once: false, phrase: "", text: "", savedAt: 5 };
  panel.showCode(stored, true);
  assert.deepEqual([part("saved-before").hidden, part("saved-before").values], [false, { time: "5" }]);
  assert.deepEqual(["edit", "delete", "extend"].map((name) => part(name).hidden), [true, true, true]);
});

test("a text that was read while its deletion waited is called read, and not deleted", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await save("hello");
  await part("delete").emit("click");
  status = async () => ({ state: "read", firstLoadedAt: 1, refused: 0, secondsLeft: 0 });
  t.mock.timers.tick(3_000);
  await settled();
  assert.deepEqual([said("saved-heading"), part("saved-details").hidden], ["read", true]);
  assert.equal(panel.copied(), null);
  t.mock.timers.tick(5_000);
  await settled();
  assert.equal(said("saved-heading"), "read");
  assert.deepEqual(events.filter(([name]) => name !== "shown"), [["ended", "wUrp"]]);
});

test("the code of another text does not keep the one before from being deleted", async () => {
  await save("hello");
  await part("delete").emit("click");
  panel.showCode({ code: "aaaa", ownerToken: "", secondsLeft: 60, isSealed: false, once: false, phrase: "", text: "", savedAt: 5 }, true);
  await settled();
  assert.deepEqual(events.slice(-2), [["removed", "wUrp"], ["ended", "wUrp"]]);
  assert.deepEqual([said("code"), part("saved-details").hidden], ["aaaa", false]);
});

test("a phrase is shown, and goes into a link only where that is asked for", async () => {
  const sealed = { code: "wUrp", ownerToken: "", secondsLeft: 60, isSealed: true, once: true, text: "", savedAt: 5 };
  panel.showCode({ ...sealed, phrase: "one two" }, false);
  assert.deepEqual([part("saved-phrase").hidden, said("phrase-used"), part("qr-phrase-row").hidden], [false, "one two", false]);
  for (const name of ["copy-link", "copy-link-with-phrase", "copy-phrase", "copy-both"]) await part(name).emit("click");
  const linkWith = (phrase) => `https://example.org/saver/#wUrp ${JSON.stringify({ isSealed: true, once: true, phrase })}`;
  assert.deepEqual(copied, [linkWith(""), linkWith("one two"), "one two", "wUrp\none two"]);
  panel.showCode({ ...sealed, phrase: "" }, false);
  assert.deepEqual([part("saved-phrase").hidden, said("phrase-used"), part("qr-phrase-row").hidden], [true, "", true]);
});

test("a write that nobody saw the end of is gone on with in place of a code from before", async () => {
  await save("hello");
  const saver = makeSaver({ api: { write: async () => ({ code: "bbbb", ownerToken: "t", secondsLeft: 600 }) } });
  await saver.accept(newWrite({ text: "selected", expiresIn: 600 }));
  part("text").value = "begun";
  await panel.resumeUpload(saver, false);
  assert.equal(said("code"), "bbbb");
  assert.equal(part("edit").hidden, true, "what the form holds is another text");
  assert.equal(part("text").value, "begun");
});

test("something to say takes the place of a code", async () => {
  await save("hello");
  panel.say("lines_lost");
  assert.deepEqual([part("save-form").hidden, said("save-alert"), focused()], [false, "lines_lost", "text"]);
});
