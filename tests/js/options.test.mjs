import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { DEFAULT_LIMITS } from "../../extension/core/limits.js";
import { makeOptions } from "../../extension/ui/options.js";
import { fakeI18n, installDocument } from "./support/document.mjs";

let document;
let options;
let passwordChanges;

/** The options, with this usual lifetime. */
function open(lifetime) {
  ({ document } = installDocument());
  passwordChanges = 0;
  const onPasswordChange = () => void (passwordChanges += 1);
  options = makeOptions({ root: document, i18n: fakeI18n, wordList: async () => ["aa", "bb"], lifetime, onPasswordChange });
  options.lifetimes.applyLimits(DEFAULT_LIMITS);
  options.updateSummary();
}

beforeEach(() => open());

const summary = () => [document.part("options-summary").textContent, document.part("options-summary").values];
const said = (time, protection) => ["options_summary", { time, protection }];

test("closed, one line says how long a text is kept and who can read it", () => {
  assert.deepEqual(summary(), said("600", "options_no_password"));
});

test("the usual lifetime of a user is what the line says", () => {
  open(3_600);
  assert.deepEqual(summary(), said("3600", "options_no_password"));
});

test("the line follows what is chosen", async () => {
  const panel = document.part("options");
  document.part("once").checked = true;
  await panel.emit("input");
  assert.deepEqual(summary(), said("600", "options_once · options_no_password"));
  document.part("password").value = "secret";
  await panel.emit("input");
  assert.deepEqual(summary(), said("600", "options_once · options_password"));
  document.part("once").checked = false;
  const radios = document.part("lifetimes").querySelectorAll("input");
  for (const radio of radios) radio.checked = Number(radio.value) === 86_400;
  await panel.emit("input");
  assert.deepEqual(summary(), said("86400", "options_password"));
});

test("the password itself is not in the line", async () => {
  document.part("password").value = "secret";
  await document.part("options").emit("input");
  assert.doesNotMatch(JSON.stringify(summary()), /secret/);
});

test("the options open and close with their button, and say so", async () => {
  const [panel, toggle] = [document.part("options"), document.part("options-toggle")];
  assert.equal(panel.hidden, true);
  await toggle.emit("click");
  assert.deepEqual([panel.hidden, toggle.attributes["aria-expanded"]], [false, "true"]);
  await toggle.emit("click");
  assert.deepEqual([panel.hidden, toggle.attributes["aria-expanded"]], [true, "false"]);
  options.open();
  options.open();
  assert.deepEqual([panel.hidden, toggle.attributes["aria-expanded"]], [false, "true"]);
  options.close();
  assert.deepEqual([panel.hidden, toggle.attributes["aria-expanded"]], [true, "false"]);
});

const chance = (given) => {
  options.applyLimits({ ...DEFAULT_LIMITS, guess_chance_today: given });
  const { hidden, textContent, values } = document.part("guess-chance");
  return hidden ? null : [textContent, values.count];
};

test("the chance that a stranger guesses the code is said as one in so many", () => {
  assert.deepEqual(chance(0.00025), ["guess_chance", "4000"]);
  assert.deepEqual(chance(0.00027), ["guess_chance", "3700"]);
  assert.deepEqual(chance(0.0028), ["guess_chance", "360"]);
  assert.deepEqual(chance(0.000001), ["guess_chance", "1000000"]);
  assert.equal(chance(0.00000099)[0], "guess_chance_small");
  assert.equal(chance(0)[0], "guess_chance_small");
});

test("a service that does not send the chance has no sentence about it", () => {
  assert.equal(document.part("guess-chance").hidden, true);
  assert.notEqual(chance(0.00025), null);
  assert.equal(chance(undefined), null);
  assert.equal(chance(null), null);
  assert.equal(chance("0.1"), null);
});

test("a typed password and a generated phrase are reported", async () => {
  await document.part("password").emit("input");
  assert.equal(passwordChanges, 1);
  await document.part("phrase").emit("click");
  assert.equal(passwordChanges, 2);
  assert.notEqual(document.part("password").value, "");
});
