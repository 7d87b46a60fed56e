import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { insertText, readSelection } from "../../extension/browser/page.js";
import { installBrowser } from "./support/browser.mjs";
import { FakeElement, installDocument } from "./support/document.mjs";

class Field extends FakeElement {}
class Editable extends FakeElement {
  isContentEditable = true;
}

let browser;
let document;

beforeEach(() => {
  browser = installBrowser();
  ({ document } = installDocument());
  Object.assign(globalThis, { HTMLElement: FakeElement, HTMLTextAreaElement: Field, HTMLInputElement: Field, self: globalThis, top: globalThis });
  globalThis.getSelection = () => "selected in the page";
  // The function runs in the page, here in this one.
  browser.script = async ({ func, args = [] }) => [{ result: func(...args) }];
});

test("the selection is read in the frame of the menu, or in all frames", async () => {
  await readSelection(3, 5);
  await readSelection(3);
  const targets = browser.calls.map(([, { target }]) => target);
  assert.deepEqual(targets, [{ tabId: 3, frameIds: [5] }, { tabId: 3, allFrames: true }]);
});

test("of several frames the one with a selection counts", async () => {
  browser.script = async () => [{ result: "" }, { result: undefined }, { result: "two\nlines" }];
  assert.equal(await readSelection(3), "two\nlines");
  browser.script = async () => [{ result: "" }];
  assert.equal(await readSelection(3), "");
});

test("a page that no extension may read is null, and takes no text", async () => {
  browser.script = async () => Promise.reject(new Error("cannot access this page"));
  assert.equal(await readSelection(3), null);
  assert.equal(await insertText(3, "text"), false);
});

test("the selection of the page is read where the field has none", async () => {
  assert.equal(await readSelection(3), "selected in the page");
  document.activeElement = Object.assign(new Field(), { value: "some text" });
  assert.equal(await readSelection(3), "selected in the page");
});

test("the selection of a field is read, that of a password field is not", async () => {
  const field = Object.assign(new Field(), { value: "some text", selectionStart: 5, selectionEnd: 9 });
  document.activeElement = field;
  assert.equal(await readSelection(3), "text");
  field.type = "password";
  globalThis.HTMLTextAreaElement = class {};
  assert.equal(await readSelection(3), "selected in the page");
});

test("a text is inserted into the field or the editable element with the focus", async () => {
  for (const element of [new Field(), new Editable()]) {
    const commands = [];
    document.activeElement = element;
    document.execCommand = (...command) => {
      commands.push(command);
      return true;
    };
    assert.equal(await insertText(3, "<b>text"), true);
    assert.deepEqual(commands, [["insertText", false, "<b>text"]]);
  }
  assert.deepEqual(browser.calls.at(-1)[1].target, { tabId: 3, allFrames: true });
});

test("without a field there is no place for a text", async () => {
  document.activeElement = new FakeElement();
  document.execCommand = () => true;
  assert.equal(await insertText(3, "text"), false);
});

test("a frame without the focus takes no text", async () => {
  document.activeElement = new Field();
  document.execCommand = () => true;
  const frame = {};
  Object.assign(globalThis, { top: {}, parent: { document: { activeElement: null } }, frameElement: frame });
  assert.equal(await insertText(3, "text"), false);
  globalThis.parent.document.activeElement = frame;
  assert.equal(await insertText(3, "text"), true);
});

test("of several frames one has to take the text", async () => {
  browser.script = async () => [{ result: false }, { result: true }];
  assert.equal(await insertText(3, "text"), true);
  browser.script = async () => [{ result: false }];
  assert.equal(await insertText(3, "text"), false);
});
