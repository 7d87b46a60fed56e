import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULT_LIMITS, bytesOf, charactersOf, lifetimeChoices, nextLifetime } from "../../extension/core/limits.js";

const within = (min, usual, max, sealed) =>
  lifetimeChoices({ expires_in: { min, default: usual, max, max_sealed: sealed } });

test("10 minutes, 1, 3 and 24 hours are offered, and with a password 7 and 30 days", () => {
  assert.deepEqual(lifetimeChoices(DEFAULT_LIMITS), [600, 3_600, 10_800, 86_400, 604_800, 2_592_000]);
});

test("only what the service allows is offered, its default always", () => {
  assert.deepEqual(within(60, 300, 3_600), [300, 600, 3_600]);
  assert.deepEqual(within(3_600, 7_200, 7_200), [3_600, 7_200]);
  assert.deepEqual(within(3_600, 7_200, 7_200, 604_800), [3_600, 7_200, 10_800, 86_400, 604_800]);
  assert.deepEqual(within(3_600, 7_200, 7_200, 60), [3_600, 7_200]);
});

test("the next lifetime is the first one that is worth a press", () => {
  const open = [[0, 600], [480, 3_600], [479, 600], [600, 3_600], [3_600, 10_800], [86_279, 86_400], [86_280, null], [1e9, null]];
  for (const [secondsLeft, next] of open) assert.equal(nextLifetime(DEFAULT_LIMITS, secondsLeft, false), next, secondsLeft);
  for (const [secondsLeft, next] of [[86_399, 604_800], [604_800, 2_592_000], [2_592_000, null]]) {
    assert.equal(nextLifetime(DEFAULT_LIMITS, secondsLeft, true), next, secondsLeft);
  }
});

test("a service whose sealed texts live no longer keeps none longer", () => {
  for (const maxSealed of [undefined, 60, 3_600]) {
    const limits = { expires_in: { min: 60, default: 600, max: 3_600, max_sealed: maxSealed } };
    assert.equal(nextLifetime(limits, 600, true), 3_600);
    assert.equal(nextLifetime(limits, 3_600, true), null);
  }
});

test("characters and bytes are counted as people and the service count them", () => {
  for (const [text, characters, bytes] of [["", 0, 0], ["aé한👋", 4, 10], ["\ud83d", 1, 3], ["👋👋", 2, 8]]) {
    assert.equal(charactersOf(text), characters);
    assert.equal(bytesOf(text), bytes);
  }
});
