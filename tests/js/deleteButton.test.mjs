import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { NoText, Unreachable } from "../../extension/core/errors.js";
import { makeDeleteButton } from "../../extension/ui/deleteButton.js";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

const UNDO_TIME = 5_000;
const SHOWN = { code: "wUrp", ownerToken: "token" };

let button;
let deleteButton;
let current;
/** The deleted texts, and the messages, in order. */
let removed;
let said;
/** What the service answers. */
let answer;

beforeEach((t) => {
  const { document } = installDocument();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  current = SHOWN;
  removed = [];
  said = [];
  answer = async () => {};
  button = document.part("delete");
  deleteButton = makeDeleteButton({
    root: document,
    i18n: fakeI18n,
    api: { remove: (...given) => (removed.push(given), answer()) },
    getCurrent: () => current,
    showStatus: (key) => said.push(["status", key]),
    onEnded: (key, about) => said.push(["ended", key, about.code]),
    onError: (error) => said.push(["error", error.name]),
  });
  deleteButton.reset(true);
});

/** Let the time to undo go by. */
async function wait(t) {
  t.mock.timers.tick(UNDO_TIME);
  await settled();
}

test("a text is deleted when the time to undo is over", async (t) => {
  await button.emit("click");
  assert.equal(button.textContent, "undo");
  assert.deepEqual(said, [["status", "deleting"]]);
  t.mock.timers.tick(UNDO_TIME - 1);
  assert.deepEqual(removed, []);
  t.mock.timers.tick(1);
  assert.equal(button.disabled, true);
  await settled();
  assert.deepEqual(removed, [["wUrp", "token"]]);
  assert.deepEqual(said.slice(1), [["ended", "deleted", "wUrp"]]);
  assert.deepEqual([button.disabled, button.textContent], [false, "delete"]);
});

test("a second press takes it back, and a third one begins anew", async (t) => {
  await button.emit("click");
  t.mock.timers.tick(UNDO_TIME - 1);
  await button.emit("click");
  assert.deepEqual(said, [["status", "deleting"], ["status", "undone"]]);
  assert.equal(button.textContent, "delete");
  await button.emit("click");
  t.mock.timers.tick(UNDO_TIME - 1);
  assert.deepEqual(removed, []);
  await button.emit("click");
  await wait(t);
  assert.deepEqual(removed, []);
  await button.emit("click");
  await wait(t);
  assert.equal(removed.length, 1);
});

test("closing the page deletes the text at once, and once", async (t) => {
  await globalThis.window.emit("pagehide");
  assert.deepEqual(removed, []);
  await button.emit("click");
  await globalThis.window.emit("pagehide");
  assert.deepEqual(removed, [["wUrp", "token"]]);
  await wait(t);
  assert.equal(removed.length, 1);
});

test("with another text the first one is deleted at once, and its end is reported", async (t) => {
  await button.emit("click");
  current = { code: "aaaa", ownerToken: "" };
  deleteButton.reset(false);
  assert.equal(button.hidden, true);
  await settled();
  assert.deepEqual(removed, [["wUrp", "token"]]);
  assert.deepEqual(said.at(-1), ["ended", "deleted", "wUrp"]);
  await wait(t);
  assert.equal(removed.length, 1);
});

test("what has ended by itself is not deleted any more", async (t) => {
  await button.emit("click");
  deleteButton.cancel();
  assert.equal(button.textContent, "delete");
  await wait(t);
  assert.deepEqual(removed, []);
});

test("a text that is gone already has expired", async (t) => {
  answer = async () => Promise.reject(new NoText());
  await button.emit("click");
  await wait(t);
  assert.deepEqual(said.at(-1), ["ended", "expired", "wUrp"]);
});

test("a failure is shown, and the text can be deleted again", async (t) => {
  answer = async () => Promise.reject(new Unreachable());
  await button.emit("click");
  await wait(t);
  assert.deepEqual(said.slice(1), [["status", ""], ["error", "Unreachable"]]);
  assert.equal(button.disabled, false);
  answer = async () => {};
  await button.emit("click");
  await wait(t);
  assert.deepEqual(said.at(-1), ["ended", "deleted", "wUrp"]);
});

test("a failure is not shown if the text is not shown any more", async () => {
  answer = async () => Promise.reject(new Unreachable());
  await button.emit("click");
  current = { code: "aaaa", ownerToken: "other" };
  deleteButton.reset(true);
  await settled();
  assert.deepEqual(said, [["status", "deleting"]]);
});

test("where nothing is shown nothing is deleted", async (t) => {
  current = null;
  await button.emit("click");
  await wait(t);
  assert.deepEqual([removed, said], [[], []]);
});
