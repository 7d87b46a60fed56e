import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makePasteButton } from "../../extension/ui/pasteButton.js";
import { makeTextField } from "../../extension/ui/textField.js";
import { fakeI18n, installDocument } from "./support/document.mjs";

let document;
let button;
let field;
let pasted;
let failures;

beforeEach(() => {
  ({ document } = installDocument());
  [button, field] = [document.part("paste"), document.part("text")];
  pasted = 0;
  failures = [];
});

/** The button, where the clipboard can be read like this. */
function make(paste) {
  return makePasteButton({
    button,
    text: makeTextField(document, fakeI18n),
    paste,
    onPasted: () => void (pasted += 1),
    onFailed: (key, values) => failures.push([key, values?.(fakeI18n.translator)]),
  });
}

test("one press puts the clipboard into the field and goes on", async () => {
  make(async () => "from the clipboard");
  assert.equal(button.hidden, false);
  await button.emit("click");
  assert.equal(field.value, "from the clipboard");
  assert.deepEqual([pasted, failures], [1, []]);
  assert.equal(button.hidden, true, "the field is full now");
});

test("the button is there only while the field is empty", async () => {
  const update = make(async () => "");
  field.value = "a";
  await field.emit("input");
  assert.equal(button.hidden, true);
  field.value = "";
  await field.emit("input");
  assert.equal(button.hidden, false);
  // The program dispatches an event for its own changes.
  field.value = "a draft";
  update();
  assert.equal(button.hidden, true);
});

test("where no clipboard can be read there is no button", async () => {
  make(undefined);
  assert.equal(button.hidden, true);
  await field.emit("input");
  assert.equal(button.hidden, true);
  await button.emit("click");
  assert.deepEqual([pasted, failures], [0, []]);
});

test("a browser that does not let it happen leaves the keys to do it", async () => {
  make(async () => Promise.reject(new Error("not allowed")));
  await button.emit("click");
  assert.deepEqual([pasted, failures], [0, [["paste_failed", { keys: "Ctrl+V" }]]]);
  Object.assign(globalThis.navigator, { platform: "MacIntel" });
  await button.emit("click");
  assert.deepEqual(failures[1], ["paste_failed", { keys: "⌘V" }]);
});

test("an empty clipboard is said, and nothing is saved", async () => {
  make(async () => "");
  await button.emit("click");
  assert.deepEqual([pasted, failures], [0, [["paste_empty", undefined]]]);
});
