import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makeNotes } from "../../extension/core/notes.js";
import { makeNotesPanel } from "../../extension/ui/notesPanel.js";
import { makeArea } from "./support/browser.mjs";
import { fakeI18n, installDocument } from "./support/document.mjs";

const NOTES = {
  "note:1": { id: "1", code: "aaaa", text: "\n  first line  \r\nsecond" },
  "note:2": { id: "2", code: "bbbb", text: "another" },
};

let document;
let area;
let copied;
let stored;
let panel;

/** An i18n that says the values of a message as well. */
const i18n = {
  ...fakeI18n,
  setText: (element, key, values) => void (element.textContent = [key, ...Object.values(values?.() ?? {})].join(" ")),
};

function install({ notes = NOTES, copy = async (text) => Boolean(copied.push(text)) } = {}) {
  ({ document } = installDocument());
  area = makeArea(structuredClone(notes));
  copied = [];
  stored = 0;
  const onKept = () => void (stored += 1);
  panel = makeNotesPanel({ root: document.part("notes-panel"), notes: makeNotes(area), i18n, copy, onKept });
}

beforeEach(() => install());

const settled = async () => {
  for (let count = 0; count < 10; count += 1) await new Promise(setImmediate);
};
const rows = () => document.part("notes").children;
const below = (row, part) => row.below().find((each) => each.dataset.part === part);
const names = () => rows().map((row) => below(row, "note-name").textContent);

async function click(row, part) {
  await below(row, part).emit("click");
  await settled();
}

test("each note is named by its code and its first line", async () => {
  await panel.show();
  assert.deepEqual(names(), ["note_name aaaa first line", "note_name bbbb another"]);
  assert.equal(document.part("no-notes").hidden, true);
});

test("without notes that is said", async () => {
  install({ notes: {} });
  await panel.show();
  assert.deepEqual(rows(), []);
  assert.equal(document.part("no-notes").hidden, false);
});

test("one note is open at a time, and its name closes it again", async () => {
  await panel.show();
  const [one, other] = rows();
  const isOpen = (row) => [!below(row, "note-text").hidden, below(row, "note-name").getAttribute("aria-expanded")];
  assert.deepEqual([isOpen(one), isOpen(other)], [[false, "false"], [false, "false"]]);
  await click(one, "note-name");
  assert.equal(document.activeElement, below(one, "note-text"));
  await click(other, "note-name");
  assert.deepEqual([isOpen(one), isOpen(other)], [[false, "false"], [true, "true"]]);
  await click(other, "note-name");
  assert.deepEqual(isOpen(other), [false, "false"]);
});

test("a change is stored, and the name follows", async () => {
  await panel.show();
  const [row] = rows();
  below(row, "note-text").value = "changed";
  await below(row, "note-text").emit("input");
  await settled();
  assert.equal(area.values["note:1"].text, "changed");
  assert.equal(names()[0], "note_name aaaa changed");
  await click(row, "note-copy");
  assert.deepEqual(copied, ["changed"]);
});

test("what is copied is the exact text, not what a field makes of it", async () => {
  await panel.show();
  await click(rows()[0], "note-copy");
  assert.deepEqual(copied, [NOTES["note:1"].text]);
  assert.equal(document.part("notes-status").textContent, "text_copied");
  assert.equal(document.part("notes-status").classes.has("failed"), false);
});

test("a failure looks like one", async () => {
  install({ copy: async () => false });
  await panel.show();
  const [row] = rows();
  await click(row, "note-copy");
  assert.equal(document.part("notes-status").textContent, "copy_failed");
  assert.ok(document.part("notes-status").classes.has("failed"));
  document.part("notes-status").classes.clear();
  area.isFull = true;
  await below(row, "note-text").emit("input");
  await settled();
  assert.equal(document.part("notes-status").textContent, "note_failed");
  assert.ok(document.part("notes-status").classes.has("failed"));
});

test("a note is nowhere else: to remove it takes two clicks", async () => {
  await panel.show();
  await click(rows()[0], "note-remove");
  assert.equal(below(rows()[0], "note-remove").textContent, "remove_note_confirm");
  assert.equal(rows().length, 2);
  await click(rows()[0], "note-remove");
  assert.deepEqual(names(), ["note_name bbbb another"]);
  assert.deepEqual(Object.keys(area.values), ["note:2"]);
});

test("a loaded text is stored as a note, which is then open", async () => {
  assert.equal(await panel.keep({ code: "aaab", text: "new" }), "note_saved");
  assert.equal(stored, 1);
  await panel.show();
  const row = rows().find(({ dataset }) => dataset.note === "aaab");
  assert.equal(below(row, "note-text").hidden, false);
  await panel.show();
  assert.ok(rows().every((each) => below(each, "note-text").hidden));
});

test("where there is no room that is said, and nothing else happens", async () => {
  area.isFull = true;
  assert.equal(await panel.keep({ code: "aaab", text: "new" }), "note_failed");
  assert.equal(stored, 0);
});
