import assert from "node:assert/strict";
import { test } from "node:test";

import { WORD_COUNT, bitsOf, makePhrase } from "../../extension/core/phrase.js";

const LIST = Array.from({ length: 1_296 }, (_, place) => `w${place}`);

/** Randomness that gives these numbers, one after the other. */
const given = (...numbers) => (into) => into.fill(numbers.shift());

test("a phrase has five words of the list", () => {
  const words = makePhrase(LIST).split(" ");
  assert.equal(words.length, WORD_COUNT);
  for (const word of words) assert.ok(LIST.includes(word));
});

test("every word is as likely as any other: what lies above the last whole multiple is drawn again", () => {
  const fair = 65_536 - (65_536 % 1_296);
  assert.equal(makePhrase(LIST, given(0, fair, 65_535, fair - 1, 1_296, 1, 1_295)), "w0 w1295 w0 w1 w1295");
});

test("all words come up", () => {
  const seen = new Set(Array.from({ length: 4_000 }, () => makePhrase(LIST).split(" ")).flat());
  assert.equal(seen.size, LIST.length);
});

test("the strength is that of the picks, rounded down", () => {
  assert.equal(bitsOf(1_296), 51);
  assert.equal(bitsOf(2), 5);
});
