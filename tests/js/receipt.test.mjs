import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { NoText, Unreachable } from "../../extension/core/errors.js";
import { makeReceipt } from "../../extension/ui/receipt.js";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

const SHOWN = { code: "wUrp", ownerToken: "token" };
const WAITING = { state: "waiting", firstLoadedAt: null, refused: 0, secondsLeft: 60 };
const LOADED = { ...WAITING, state: "loaded", firstLoadedAt: 1_000 };

let document;
let line;
let receipt;
let current;
/** What the service answers: a receipt or an error. */
let answer;
/** How often it was asked, and the states that were reported. */
let asked;
let states;

beforeEach((t) => {
  ({ document } = installDocument());
  t.mock.timers.enable({ apis: ["setTimeout"] });
  current = SHOWN;
  answer = WAITING;
  asked = 0;
  states = [];
  line = document.part("receipt");
  const status = async (code, ownerToken) => {
    assert.deepEqual([code, ownerToken], ["wUrp", "token"]);
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  receipt = makeReceipt({ line, api: { status }, i18n: fakeI18n, getCurrent: () => current, onState: (state) => states.push(state) });
});

/** Let so many ms pass, and answer the requests of that time. */
async function wait(t, time) {
  t.mock.timers.tick(time);
  await settled();
}

/** How long it waits before it asks the next time, in ms, by looking every 100 ms. */
async function timeToNext(t) {
  const before = asked;
  for (let time = 100; time <= 100_000; time += 100) {
    t.mock.timers.tick(100);
    if (asked > before) {
      await settled();
      return time;
    }
  }
  return Infinity;
}

async function show(visibilityState) {
  document.visibilityState = visibilityState;
  await document.emit("visibilitychange");
  await settled();
}

test("it asks by itself, less and less often, and at least once a minute", async (t) => {
  receipt.start();
  assert.equal(line.textContent, "receipt_waiting");
  const pauses = [];
  for (let count = 0; count < 10; count += 1) pauses.push(await timeToNext(t));
  assert.deepEqual(pauses, [3_000, 4_500, 6_800, 10_200, 15_200, 22_800, 34_200, 51_300, 60_000, 60_000]);
});

test("it shows the facts, and reports the state", async (t) => {
  receipt.start();
  await wait(t, 3_000);
  assert.deepEqual([line.textContent, line.values], ["receipt_facts", { facts: "receipt_waiting" }]);
  answer = { ...LOADED, refused: 2 };
  await wait(t, 4_500);
  assert.deepEqual(line.values, { facts: "receipt_opened 1000 2 receipt_refused" });
  assert.ok(line.classes.has("opened"));
  assert.deepEqual(states, ["waiting", "loaded"]);
});

test("the same is not said anew: it would be read aloud again", async (t) => {
  receipt.start();
  await wait(t, 3_000);
  line.textContent = "as it was";
  await wait(t, 4_500);
  assert.equal(asked, 2);
  assert.equal(line.textContent, "as it was");
  assert.deepEqual(states, ["waiting"]);
});

for (const [state, facts] of [["read", "receipt_read"], ["expired", "receipt_waiting receipt_expired"], ["deleted", "receipt_waiting receipt_deleted"]]) {
  test(`a text that is ${state} is not asked after any more`, async (t) => {
    answer = { ...WAITING, state };
    receipt.start();
    await wait(t, 3_000);
    assert.deepEqual(line.values, { facts });
    assert.equal(await timeToNext(t), Infinity);
    assert.deepEqual(states, [state]);
  });
}

test("a hidden page does not ask; when it is visible again it asks at once", async (t) => {
  receipt.start();
  await wait(t, 3_000);
  await wait(t, 4_500);
  document.visibilityState = "hidden";
  assert.equal(await timeToNext(t), Infinity);
  answer = LOADED;
  await show("visible");
  assert.equal(asked, 3);
  assert.deepEqual(states, ["waiting", "loaded"]);
  assert.equal(await timeToNext(t), 3_000, "and begins with short pauses again");
});

test("hiding and showing the page starts no second timer", async (t) => {
  receipt.start();
  await show("hidden");
  assert.equal(asked, 0);
  await show("visible");
  await show("visible");
  assert.equal(asked, 2);
  await wait(t, 3_000);
  assert.equal(asked, 3);
});

test("a failure is silent, and it is asked again", async (t) => {
  receipt.start();
  await wait(t, 3_000);
  answer = new Unreachable();
  line.textContent = "as it was";
  await wait(t, 4_500);
  assert.equal(line.textContent, "as it was");
  answer = LOADED;
  assert.equal(await timeToNext(t), 6_800);
  assert.deepEqual(states, ["waiting", "loaded"]);
});

test("of a text that the service does not know nothing more is asked", async (t) => {
  answer = new NoText();
  receipt.start();
  await wait(t, 3_000);
  assert.equal(line.textContent, "receipt_unknown");
  assert.equal(await timeToNext(t), Infinity);
  assert.deepEqual(states, []);
});

for (const given of [LOADED, new NoText(), new Unreachable()]) {
  test(`${given.state ?? given.name} that comes when another text is shown says nothing of it`, async (t) => {
    answer = given;
    receipt.start();
    t.mock.timers.tick(3_000);
    // Asked, and not answered yet.
    assert.equal(asked, 1);
    current = { ...SHOWN };
    receipt.start();
    await settled();
    assert.equal(line.textContent, "receipt_waiting");
    assert.deepEqual(states, []);
    answer = WAITING;
    assert.equal(await timeToNext(t), 3_000, "the other one has its own pauses");
  });
}

test("what is stopped says nothing and asks nothing", async (t) => {
  receipt.start();
  await wait(t, 3_000);
  current = null;
  receipt.stop();
  assert.equal(line.textContent, "");
  assert.equal(await timeToNext(t), Infinity);
  await show("visible");
  assert.equal(asked, 1);
});

test("a code from the history, without its owner's token, has no receipt", async (t) => {
  current = { code: "wUrp", ownerToken: "" };
  receipt.start();
  assert.equal(line.textContent, "");
  assert.equal(await timeToNext(t), Infinity);
  await show("visible");
  assert.equal(asked, 0);
});
