import assert from "node:assert/strict";
import { test } from "node:test";

import { directionOf } from "../../extension/ui/direction.js";

const long = (beginning) => beginning + " and so on".repeat(3_000);

test("every line of a short text runs its own way", () => assert.equal(directionOf("\u05d0\none"), "auto"));

for (const [beginning, direction] of [["12. a", "ltr"], ["12. \u05d0", "rtl"], ["\u0645", "rtl"], ["가", "ltr"]]) {
  test(`a long text that begins with ${beginning} is ${direction}`, () => {
    assert.equal(directionOf(long(beginning)), direction);
  });
}

test("a long text without letters runs from the left", () => {
  assert.equal(directionOf("1".repeat(30_000)), "ltr");
});
