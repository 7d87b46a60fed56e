import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { makeWaitingMessage } from "../../extension/ui/waitingMessage.js";
import { FakeElement, fakeI18n, installDocument } from "./support/document.mjs";

let root;
let forms;
let lines;
let say;

beforeEach(() => {
  installDocument();
  root = new FakeElement();
  forms = ["load", "save"].map(() => new FakeElement("form"));
  lines = forms.map((form) => {
    const line = new FakeElement("p");
    line.classList.add("waiting");
    form.append(new FakeElement("button"), line);
    return line;
  });
  root.append(...forms);
  say = makeWaitingMessage(root, fakeI18n);
});

const said = () => lines.map((line) => line.textContent);

test("why it takes so long is shown next to the button that was pressed", () => {
  forms[1].setAttribute("aria-busy", "true");
  say("slow");
  assert.deepEqual(said(), ["", "waiting_slow"]);
  say("again");
  assert.deepEqual(said(), ["", "waiting_again"]);
  say(null);
  assert.deepEqual(said(), ["", ""]);
});

test("what nobody has pressed has nothing to say", () => {
  say("slow");
  assert.deepEqual(said(), ["", ""]);
});

test("the message next to a button goes, also when it is no longer busy", () => {
  forms[1].setAttribute("aria-busy", "true");
  say("slow");
  forms[1].removeAttribute("aria-busy");
  forms[0].setAttribute("aria-busy", "true");
  say("again");
  assert.deepEqual(said(), ["waiting_again", ""]);
  forms[0].removeAttribute("aria-busy");
  say(null);
  assert.deepEqual(said(), ["", ""]);
});
