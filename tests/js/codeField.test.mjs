import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makeCodeField } from "../../extension/ui/codeField.js";
import { installDocument } from "./support/document.mjs";

const DELAY = 700;

let document;
let field;
let codeField;
/** How often a code was complete, how often the field changed, and the texts that were no codes. */
let completed;
let changes;
let texts;

/** The key that brought the focus. */
const PROCESS = { key: "Process", code: "", getModifierState: () => false };

beforeEach((t) => {
  ({ document } = installDocument());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  field = document.part("code-field");
  completed = changes = 0;
  texts = [];
  codeField = makeCodeField(field, {
    onComplete: () => void (completed += 1),
    onChange: () => void (changes += 1),
    onText: (text) => void texts.push(text),
  });
});

/** Set the value of the field. */
const input = (value, event = {}) => {
  field.value = value;
  return field.emit("input", event);
};

/** Press a key; returns whether the field handled it. */
async function press(key, code = "", event = {}) {
  let isTaken = false;
  const getModifierState = () => false;
  await field.emit("keydown", { key, code, shiftKey: false, getModifierState, ...event, preventDefault: () => void (isTaken = true) });
  return isTaken;
}

/** Type letter by letter, with the events of a browser. */
async function type(text, event = {}) {
  for (const letter of text) {
    await press(letter, "", event);
    await input(field.value + letter, event);
  }
}

test("four letters open after a moment, once", async (t) => {
  await type("wUrp");
  t.mock.timers.tick(DELAY - 1);
  assert.equal(completed, 0);
  t.mock.timers.tick(1);
  assert.equal(completed, 1);
  t.mock.timers.tick(10_000);
  assert.equal(completed, 1);
  assert.equal(changes, 4);
  assert.equal(codeField.read(), "wUrp");
});

test("what is pasted opens at once", async (t) => {
  await input("wUrp", { inputType: "insertFromPaste" });
  t.mock.timers.tick(0);
  assert.equal(completed, 1);
});

for (const [what, value] of [["Backspace", "wUr"], ["a fifth letter", "wUrpx"], ["a space", "wUrp "], ["a change", "wUr1"]]) {
  test(`${what} in time keeps a code from opening`, async (t) => {
    await type("wUrp");
    t.mock.timers.tick(DELAY - 1);
    await input(value);
    t.mock.timers.tick(10_000);
    assert.equal(completed, 0);
  });
}

test("a corrected code opens a moment after its last letter", async (t) => {
  await type("wUrx");
  t.mock.timers.tick(DELAY - 1);
  await input("wUr");
  await input("wUrp");
  t.mock.timers.tick(DELAY - 1);
  assert.equal(completed, 0);
  t.mock.timers.tick(1);
  assert.equal(completed, 1);
});

test("Enter was faster: the code is not opened twice", async (t) => {
  await type("wUrp");
  await document.part("load-form").emit("submit");
  t.mock.timers.tick(10_000);
  assert.equal(completed, 0);
});

test("a text that is being composed does not open", async (t) => {
  await type("wUrp", { isComposing: true });
  t.mock.timers.tick(10_000);
  assert.deepEqual([completed, changes], [0, 4]);
});

test("letters that are no code do not open", async (t) => {
  for (const value of ["wUr", "wÜrp", "w0rp", "wUrpx", "цГкз"]) {
    await input(value);
    t.mock.timers.tick(10_000);
  }
  assert.equal(completed, 0);
});

test("a key of another script writes the Latin letter that lies there", async (t) => {
  assert.equal(await press("ц", "KeyW"), true);
  assert.equal(await press("Г", "KeyU", { shiftKey: true }), true);
  assert.equal(await press("к", "KeyR", { shiftKey: true, getModifierState: () => true }), true);
  assert.equal(await press("З", "KeyP", { getModifierState: () => true }), true);
  assert.equal(field.value, "wUrP", "with CapsLock Shift writes small letters");
  t.mock.timers.tick(DELAY);
  assert.equal(completed, 1);
});

test("a Latin letter, a shortcut and a key that is no letter are not changed", async () => {
  assert.equal(await press("w", "KeyZ"), false);
  assert.equal(await press("ц", "KeyW", { ctrlKey: true }), false);
  assert.equal(await press("Process", "KeyW"), false);
  assert.equal(await press("Enter", "Enter"), false);
  assert.equal(field.value, "");
});

test("the keys behind Hangul give its case", async () => {
  for (const [code, shiftKey] of [["KeyW", false], ["KeyU", true], ["KeyR", false], ["KeyX", false]]) {
    await press("Process", code, { shiftKey, isComposing: true });
  }
  await press("Backspace", "Backspace", { isComposing: true });
  await press("Process", "KeyP", { isComposing: true });
  field.value = "져게";
  assert.equal(codeField.read(), "wUrp");
  field.value = "";
  for (const code of ["KeyW", "KeyU", "KeyR", "KeyP"]) {
    await press("Process", code);
    field.value = "ㅈ";
  }
  field.value = "져게";
  assert.equal(codeField.read(), "wurp", "an empty field begins anew");
});

for (const text of ["wUrpx", "hi ", "a.", "1.", "1 h.", "12345", "0"]) {
  test(`${JSON.stringify(text)}, typed with no field in focus, is a text`, async (t) => {
    codeField.focusForTyping(PROCESS);
    assert.equal(document.activeElement, field);
    await type(text);
    assert.deepEqual(texts, [text]);
    assert.equal(field.value, "");
    t.mock.timers.tick(10_000);
    assert.equal(completed, 0);
    assert.equal(changes, text.length + 1, "notified that the field is empty again");
  });
}

test("a code that is typed with no field in focus opens", async (t) => {
  codeField.focusForTyping(PROCESS);
  await type("wUrp");
  t.mock.timers.tick(DELAY);
  assert.deepEqual([completed, texts], [1, []]);
});

test("what is being composed becomes a text only when it is done", async () => {
  codeField.focusForTyping(PROCESS);
  await input("안녕하세요", { isComposing: true });
  assert.deepEqual(texts, []);
  await input("안녕하세요 ");
  assert.deepEqual(texts, ["안녕하세요 "]);
});

test("a field that was clicked, or has letters of a code, does not become a text", async () => {
  await type("hello");
  assert.deepEqual(texts, []);
  codeField.focusForTyping(PROCESS);
  await type(" world");
  assert.deepEqual(texts, [], "the field was not empty");
  field.value = "";
  codeField.focusForTyping(PROCESS);
  await field.emit("blur");
  await type("hello");
  assert.deepEqual(texts, [], "the focus had left it");
  assert.equal(field.value, "hello");
});

test("after a text the next letters in the field are a code again", async () => {
  codeField.focusForTyping(PROCESS);
  await type("hi ");
  await type("hello");
  assert.deepEqual(texts, ["hi "]);
});
