import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { listenToDocument } from "../../extension/ui/documentKeys.js";
import { FakeElement, installDocument } from "./support/document.mjs";

let document;
/** What the panels were asked to do. */
let asked;
/** What each panel shows, to be copied. */
let shown;
/** How often a panel was brought into sight. */
let taken;

beforeEach(() => {
  taken = 0;
  ({ document } = installDocument());
  asked = [];
  shown = { load: null, save: null };
  const note = (name) => (given) => void asked.push(typeof given === "string" ? [name, given] : [name]);
  const panels = {
    load: { focusForTyping: note("focus"), openPasted: note("open"), copied: () => shown.load },
    save: { insert: note("insert"), copied: () => shown.save },
  };
  listenToDocument(document, panels, { base: "https://example.org/", onTaken: () => void (taken += 1) });
});

/** Dispatch an event to the document; returns whether it was handled. */
async function emit(name, event) {
  let isTaken = false;
  await document.emit(name, { target: document.body, ...event, preventDefault: () => void (isTaken = true) });
  return isTaken;
}

const press = (key, event = {}) => emit("keydown", { key, ...event });

const clipboardOf = (text) => ({ getData: (type) => (type === "text/plain" ? text : "") });
const paste = (text, event = {}) => emit("paste", { clipboardData: clipboardOf(text), ...event });

/** Copy; returns the new clipboard, or null if the browser copies itself. */
async function copy(event = {}) {
  let copied = null;
  const isTaken = await emit("copy", { clipboardData: { setData: (type, text) => void (copied = [type, text]) }, ...event });
  assert.equal(isTaken, copied !== null);
  return copied;
}

/** All elements that handle typing themselves. */
function editableElements() {
  const dialog = new FakeElement("dialog");
  const open = new FakeElement("dialog");
  dialog.append(new FakeElement("button"));
  open.setAttribute("open", "");
  open.append(new FakeElement("p"));
  open.children[0].append(new FakeElement("button"));
  const editable = new FakeElement();
  editable.setAttribute("contenteditable", "");
  const [below] = open.children[0].children;
  return { fields: [...["textarea", "input", "select"].map((tag) => new FakeElement(tag)), editable, open, below], closed: dialog.children[0] };
}

test("what is typed and no field gets begins a code, in every script and while an input method is on", async () => {
  for (const key of ["w", "U", "ц", "ㅈ", "Process", "1", "("]) {
    asked.length = 0;
    assert.equal(await press(key), false, "the key itself goes on, to the field");
    assert.deepEqual(asked, [["focus"]], key);
  }
  assert.equal(taken, 7);
});

test("a key that writes nothing, or a shortcut, moves nothing", async () => {
  for (const key of ["Enter", " ", "Tab", "Escape", "F1", "Backspace", "ArrowDown"]) await press(key);
  for (const modifier of ["ctrlKey", "altKey", "metaKey"]) await press("c", { [modifier]: true });
  await press("w", { defaultPrevented: true });
  assert.deepEqual([asked, taken], [[], 0]);
});

test("fields and what is in an open dialog keep their keys and pastes", async () => {
  const { fields, closed } = editableElements();
  for (const target of fields) {
    await press("w", { target });
    assert.equal(await paste("wUrp", { target }), false);
    assert.deepEqual(asked, [], target.tag);
  }
  await press("w", { target: closed });
  await press("w", { target: new FakeElement("button") });
  assert.equal(asked.length, 2);
});

test("a pasted code or link opens", async () => {
  for (const given of ["wUrp", " wUrp\n", "https://example.org/#wUrp.sealed"]) {
    asked.length = 0;
    assert.equal(await paste(given), true);
    assert.deepEqual(asked, [["open", given]]);
  }
});

test("a pasted text is a text, also with one word of four letters in it", async () => {
  for (const given of ["a text", "please save this", "code: wUrp", "wUrp thanks", "a\nb", "https://example.com/wiki#Uses"]) {
    asked.length = 0;
    assert.equal(await paste(given), true);
    assert.deepEqual(asked, [["insert", given]]);
  }
});

test("an empty paste, or one that was handled already, is ignored", async () => {
  assert.equal(await paste(""), false);
  assert.equal(await paste("wUrp", { defaultPrevented: true }), false);
  assert.equal(await emit("paste", { clipboardData: null }), false);
  assert.deepEqual(asked, []);
});

test("what was shown last is copied, and its panel is notified", async () => {
  const events = [];
  shown.save = { text: "wUrp", shownAt: 1, done: () => events.push("code") };
  assert.deepEqual(await copy(), ["text/plain", "wUrp"]);
  shown.load = { text: "one\r\ntwo", shownAt: 2, done: () => events.push("text") };
  assert.deepEqual(await copy(), ["text/plain", "one\r\ntwo"]);
  shown.save.shownAt = 3;
  assert.deepEqual(await copy(), ["text/plain", "wUrp"]);
  assert.deepEqual(events, ["code", "text", "code"]);
});

test("where something is selected, or nothing is shown, the browser copies by itself", async () => {
  assert.equal(await copy(), null);
  shown.load = { text: "hello", done: () => assert.fail("notified") };
  assert.equal(await copy({ defaultPrevented: true }), null);
  document.getSelection = () => ({ isCollapsed: false });
  assert.equal(await copy(), null);
  for (const tag of ["textarea", "input"]) {
    document.activeElement = Object.assign(new FakeElement(tag), { selectionStart: 1, selectionEnd: 3 });
    assert.equal(await copy(), null, tag);
  }
});

test("a field with nothing but a cursor has nothing to copy itself", async () => {
  let count = 0;
  shown.load = { text: "hello", done: () => void (count += 1) };
  document.getSelection = () => ({ isCollapsed: true });
  await copy();
  // What the page says of a selection is not that of the field.
  document.getSelection = () => ({ isCollapsed: false });
  document.activeElement = Object.assign(new FakeElement("textarea"), { selectionStart: 2, selectionEnd: 2 });
  assert.deepEqual(await copy(), ["text/plain", "hello"]);
  assert.equal(count, 2);
});
