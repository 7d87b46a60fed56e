import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { NoText } from "../../extension/core/errors.js";
import { DEFAULT_LIMITS } from "../../extension/core/limits.js";
import { makeExtendButton } from "../../extension/ui/extendButton.js";
import { fakeI18n, installDocument } from "./support/document.mjs";

const SHOWN = { code: "wUrp", ownerToken: "token", isSealed: false };

let button;
let extendButton;
let current;
/** How long the text lives, in seconds. */
let secondsLeft;
/** The usual answer of the service. */
let extend;
let asked;
let said;

beforeEach(() => {
  const { document } = installDocument();
  current = SHOWN;
  secondsLeft = 590;
  extend = async (code, token, seconds) => seconds;
  asked = [];
  said = [];
  button = document.part("extend");
  const note = (name, deed) => (...given) => (asked.push([name, ...given]), deed(...given));
  extendButton = makeExtendButton({
    root: document,
    api: { status: note("status", async () => ({ state: "waiting", secondsLeft })), extend: note("extend", (...given) => extend(...given)) },
    getCurrent: () => current,
    showStatus: (key, isFailure, values) => said.push(["status", key, isFailure, ...(values ? [typeof values(fakeI18n.translator).time] : [])]),
    onExtended: (seconds) => said.push(["extended", seconds]),
    onError: (error) => said.push(["error", error.name]),
  });
});

test("each press keeps a text to the next choice of lifetime, from what the service says", async () => {
  await button.emit("click");
  assert.deepEqual(asked, [["status", "wUrp", "token"], ["extend", "wUrp", "token", 3_600]]);
  assert.deepEqual(said, [["extended", 3_600], ["status", "extended", false, "string"]]);
  secondsLeft = 3_599;
  await button.emit("click");
  assert.deepEqual(asked.at(-1), ["extend", "wUrp", "token", 10_800]);
  assert.equal(button.disabled, false);
});

test("the time that the service returns is shown", async () => {
  extend = async () => 1_234;
  await button.emit("click");
  assert.deepEqual(said[0], ["extended", 1_234]);
});

test("an open text is extended to the maximum of open texts, a sealed one to more", async () => {
  secondsLeft = 86_390;
  await button.emit("click");
  assert.deepEqual(asked.map(([name]) => name), ["status"]);
  assert.deepEqual(said, [["status", "extend_failed", true]]);
  current = { ...SHOWN, isSealed: true };
  await button.emit("click");
  assert.deepEqual(asked.at(-1), ["extend", "wUrp", "token", 604_800]);
});

test("the limits of the service hold", async () => {
  extendButton.applyLimits({ ...DEFAULT_LIMITS, expires_in: { min: 60, default: 600, max: 600, max_sealed: 600 } });
  await button.emit("click");
  assert.deepEqual(said, [["status", "extend_failed", true]]);
});

test("a failure is shown", async () => {
  extend = async () => Promise.reject(new NoText());
  await button.emit("click");
  assert.deepEqual(said, [["error", "NoText"]]);
  assert.equal(button.disabled, false);
});

test("nothing is shown if another text is shown by then", async () => {
  for (const answer of [async () => 3_600, async () => Promise.reject(new NoText())]) {
    current = SHOWN;
    extend = async () => {
      assert.equal(button.disabled, true);
      current = { ...SHOWN, code: "aaaa" };
      return answer();
    };
    await button.emit("click");
    assert.deepEqual(said, []);
  }
});

test("without an owner's token there is no button, and without a text it does nothing", async () => {
  extendButton.reset(false);
  assert.equal(button.hidden, true);
  extendButton.reset(true);
  assert.equal(button.hidden, false);
  current = null;
  await button.emit("click");
  assert.deepEqual(asked, []);
});
