import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Invalid, NoText, NotSealed, Unreachable } from "../../extension/core/errors.js";
import { makeLoadPanel } from "../../extension/ui/loadPanel.js";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

const PHRASE = "thaw react slum bask motto";
const SEALED_LINK = "https://example.org/#wUrp.sealed";
const PHRASE_LINK = `${SEALED_LINK}.${PHRASE.replaceAll(" ", "-")}`;

let document;
let part;
let panel;
/** What the reader was asked for, and what it answers: a text or an error. */
let asked;
let answer;
/** The callbacks that were called, in order. */
let events;

beforeEach((t) => {
  ({ document } = installDocument());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  ({ part } = document);
  // In a browser a part that cannot be seen takes no focus.
  const focus = part("load-password").focus.bind(part("load-password"));
  part("load-password").focus = () => part("password-row").hidden || focus();
  asked = [];
  events = [];
  answer = { text: "hello", secondsLeft: 60, once: false };
  panel = makeLoadPanel({
    root: document,
    i18n: fakeI18n,
    copy: async () => true,
    reader: { load },
    onShown: async (shown) => void events.push(["shown", shown && shown.code]),
    onCodeTyped: (code) => events.push(["typed", code]),
    onText: (text) => events.push(["text", text]),
  });
});

async function load(...given) {
  asked.push(given);
  if (answer instanceof Error) throw answer;
  return { ...answer, acknowledge: async () => void events.push(["acknowledged"]) };
}

/** Submit what is in the code field. */
async function submit() {
  await part("load-form").emit("submit");
  await settled();
}

async function open(code) {
  part("code-field").value = code;
  await part("code-field").emit("input");
  await submit();
}

const said = (name) => part(name).textContent;
const focused = () => document.activeElement.dataset.part;

test("a code opens a text, which is shown before it counts as seen", async () => {
  await open("wUrp");
  assert.deepEqual(asked, [["wUrp", "", false]]);
  assert.equal(part("loaded-text").value, "hello");
  assert.equal(part("loaded").hidden, false);
  assert.equal(focused(), "loaded-text");
  assert.deepEqual(events.slice(-2), [["shown", "wUrp"], ["acknowledged"]]);
  assert.deepEqual([part("code-field").value, said("load")], ["", "load"]);
});

test("while a code is typed it is spelled, and opening becomes the next thing to do", async () => {
  part("code-field").value = "wUr";
  await part("code-field").emit("input");
  assert.equal(said("code-hint"), "code_hint");
  assert.equal(part("load").className, "main");
  part("code-field").value = "wUrp";
  await part("code-field").emit("input");
  assert.deepEqual([said("code-hint"), part("code-hint").values], ["typed_code", { letters: "w U r p" }]);
  part("code-field").value = "";
  await part("code-field").emit("input");
  assert.deepEqual([said("code-hint"), part("load").className], ["code_hint", "plain"]);
  assert.deepEqual(events, [["typed", "wUr"], ["typed", "wUrp"], ["typed", ""]]);
});

test("four typed letters open by themselves, and Enter by habit opens nothing more", async (t) => {
  part("code-field").value = "wUrp";
  await part("code-field").emit("input");
  t.mock.timers.tick(700);
  await settled();
  assert.equal(asked.length, 1);
  part("load").focus();
  await submit();
  assert.equal(said("load-alert"), "");
  assert.equal(focused(), "loaded-text");
  assert.equal(asked.length, 1);
});

test("a code whose password is about to be given does not open without it", async (t) => {
  part("code-field").value = "wUrp";
  await part("code-field").emit("input");
  part("password-row").hidden = false;
  part("load-password").focus();
  t.mock.timers.tick(700);
  await settled();
  assert.deepEqual(asked, []);
});

test("without a code nothing is asked, and why is said", async () => {
  for (const [given, why] of [["wUr", "code_length"], ["wUrp or aaaa", "two_codes"], ["w0rp", "code_digits"], ["", "bad_code"]]) {
    await open(given);
    assert.equal(said("load-alert"), why);
    assert.equal(focused(), "code-field");
    assert.equal(part("code-field").attributes["aria-invalid"], "true");
  }
  assert.deepEqual(asked, []);
});

test("where there is no text the code stays and is selected, to be mended", async () => {
  answer = new NoText();
  await open("wUrp");
  const field = part("code-field");
  assert.equal(said("load-alert"), "no_text");
  assert.deepEqual([field.value, focused()], ["wUrp", "code-field"]);
  assert.deepEqual([field.selectionStart, field.selectionEnd], [0, 4]);
  assert.deepEqual([part("password-row").hidden, part("has-password").hidden], [true, false]);
  assert.deepEqual([said("load"), part("load").disabled], ["load", false]);
});

test("the password is asked for only after the user says that there is one", async () => {
  answer = new NoText();
  assert.deepEqual([part("password-row").hidden, part("has-password").hidden], [true, true]);
  await open("wUrp");
  await part("has-password").emit("click");
  assert.deepEqual([part("password-row").hidden, part("has-password").hidden, focused()], [false, true, "load-password"]);
  part("load-password").value = "wrong";
  await submit();
  assert.deepEqual(asked.at(-1), ["wUrp", "wrong", false]);
  assert.equal(said("load-alert"), "no_text_password");
  assert.equal(focused(), "load-password");
  answer = { text: "hello", secondsLeft: 60, once: false };
  part("load-password").value = "right";
  await submit();
  assert.deepEqual([part("password-row").hidden, part("has-password").hidden], [true, true]);
  assert.equal(part("load-password").value, "");
  assert.equal(said("load-alert"), "");
});

test("each failure has its message, at the field that is to be mended", async () => {
  const failures = [
    [new Unreachable(), "load_unreachable", null],
    [new NotSealed(true), "not_locked", null],
    [new Invalid("code", ""), "bad_code", "code-field"],
    [new Invalid("password", ""), "invalid_password", "load-password"],
    [new Error("a mistake"), "fault", null],
  ];
  for (const [error, message, name] of failures) {
    answer = error;
    await open("wUrp");
    assert.equal(said("load-alert"), message);
    for (const field of ["code-field", "load-password"]) {
      assert.equal(part(field).getAttribute("aria-invalid"), field === name ? "true" : null, message);
    }
  }
});

test("a link fills the code in, and nothing is opened before a user asks for it", async (t) => {
  panel.openCode("https://example.org/#wUrp");
  t.mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(asked, []);
  assert.deepEqual([part("code-field").value, focused(), said("load-notice")], ["wUrp", "load", ""]);
  await submit();
  assert.deepEqual(asked, [["wUrp", "", false]]);
});

test("a link that comes just after four letters were typed is not opened in their place", async (t) => {
  part("code-field").value = "aaaa";
  await part("code-field").emit("input");
  panel.openCode("https://example.org/#wUrp.once");
  t.mock.timers.tick(10_000);
  await settled();
  assert.deepEqual([asked, part("code-field").value], [[], "wUrp"]);
});

test("a broken link says what is wrong with it", () => {
  panel.openCode("#wUrpx");
  assert.deepEqual([part("code-field").value, said("load-alert"), focused()], ["#wUrpx", "code_length", "code-field"]);
});

test("a link to a one-time text says so before it is opened", async () => {
  panel.openCode("https://example.org/#wUrp.once");
  assert.deepEqual([said("load-notice"), said("load"), focused()], ["once_link", "once_link_show", "load"]);
  assert.equal(part("password-row").hidden, true);
  await submit();
  assert.deepEqual(asked, [["wUrp", "", false]]);
  assert.deepEqual([said("load-notice"), said("load")], ["", "load"]);
});

test("a locked link asks for its password at once", async () => {
  panel.openCode(SEALED_LINK);
  assert.deepEqual([said("load-notice"), said("load")], ["locked_link", "load"]);
  assert.deepEqual([part("password-row").hidden, focused()], [false, "load-password"]);
  part("load-password").value = "a password";
  await submit();
  assert.deepEqual(asked, [["wUrp", "a password", true]]);
  assert.equal(said("load-notice"), "");
});

test("a link may be both locked and read once", () => {
  panel.openCode(`${SEALED_LINK}.once`);
  assert.deepEqual([said("load-notice"), said("load"), focused()], ["once_link", "once_link_show", "load-password"]);
});

test("the phrase of a link is filled in; it takes no more than a press", async () => {
  panel.openCode(PHRASE_LINK);
  assert.deepEqual([part("load-password").value, said("load-notice"), focused()], [PHRASE, "", "load"]);
  assert.equal(part("load-password").type, "password", "a phrase is not shown to everybody who sees the screen");
  await submit();
  assert.deepEqual(asked, [["wUrp", PHRASE, true]]);
});

test("the phrase of a link is not tried at the next one", () => {
  panel.openCode(PHRASE_LINK);
  panel.openCode("https://example.org/#aaaa");
  assert.equal(part("load-password").value, "");
  assert.equal(said("load-notice"), "");
});

test("what a link has promised holds for its code only", async () => {
  panel.openCode(SEALED_LINK);
  answer = new NotSealed(false);
  await submit();
  assert.deepEqual(asked.at(-1), ["wUrp", "", true]);
  assert.equal(said("load-alert"), "not_sealed");
  await submit();
  assert.deepEqual(asked.at(-1), ["wUrp", "", true], "also at the second try");
  await open("aaaa");
  assert.deepEqual(asked.at(-1), ["aaaa", "", false]);
});

test("a sealed link that is typed into the field asks for the password when it does not open", async () => {
  answer = new NoText();
  await open("#wUrp.sealed");
  assert.deepEqual(asked, [["wUrp", "", true]]);
  assert.equal(said("load-alert"), "no_text_password");
  assert.deepEqual([part("password-row").hidden, focused()], [false, "load-password"]);
});

test("what is pasted anywhere opens at once", async () => {
  panel.openPasted(" wUrp\n");
  await settled();
  assert.deepEqual(asked, [["wUrp", "", false]]);
  panel.openPasted(PHRASE_LINK);
  await settled();
  assert.deepEqual(asked.at(-1), ["wUrp", PHRASE, true]);
});

/** A one-time text is shown, which is nowhere else. */
async function openOnlyCopy() {
  answer = { text: "only here", secondsLeft: 60, once: true };
  await open("wUrp");
  assert.equal(panel.isOnlyCopy(), true);
  answer = { text: "another", secondsLeft: 60, once: false };
  asked.length = 0;
}

test("the only copy of a text is not replaced before a second confirmation", async () => {
  await openOnlyCopy();
  await open("aaaa");
  assert.equal(said("load-alert"), "not_copied");
  assert.deepEqual([asked, part("loaded-text").value, part("code-field").value], [[], "only here", "aaaa"]);
  await submit();
  assert.deepEqual(asked, [["aaaa", "", false]]);
  assert.equal(part("loaded-text").value, "another");
});

test("what was copied is replaced without a question", async () => {
  await openOnlyCopy();
  await part("copy-text").emit("click");
  await open("aaaa");
  assert.equal(part("loaded-text").value, "another");
});

test("each text is asked after anew", async () => {
  await openOnlyCopy();
  answer = { text: "only here too", secondsLeft: 60, once: true };
  await open("aaaa");
  await submit();
  await open("bbbb");
  assert.equal(said("load-alert"), "not_copied");
  assert.equal(part("loaded-text").value, "only here too");
});

test("the only copy is closed after two presses, each text with two of its own", async () => {
  await openOnlyCopy();
  await part("clear").emit("click");
  assert.deepEqual([said("clear"), part("loaded").hidden], ["clear_confirm", false]);
  await part("clear").emit("click");
  assert.equal(part("loaded").hidden, true);
  assert.deepEqual(events.at(-1), ["shown", null]);
  await openOnlyCopy();
  await part("clear").emit("click");
  assert.equal(part("loaded").hidden, false);
});

test("the text that is shown can be copied as it came, and says so", async () => {
  assert.equal(panel.copied(), null);
  answer = { text: "one\r\ntwo", secondsLeft: 60, once: true };
  await open("wUrp");
  const copied = panel.copied();
  assert.equal(copied.text, "one\r\ntwo");
  copied.done();
  assert.equal(said("loaded-status"), "text_copied");
  assert.equal(panel.isOnlyCopy(), false);
});
