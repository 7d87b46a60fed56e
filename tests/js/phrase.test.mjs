import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { WORD_COUNT, makePasswordNormalizer, makePhrase, normalizePhrase } from "../../extension/core/phrase.js";

const LIST = Array.from({ length: 1_296 }, (_, place) => `w${place}`);

const BUNDLED = readFileSync(new URL("../../extension/vendor/eff-short-wordlist-1.txt", import.meta.url), "utf8")
  .split("\n")
  .filter(Boolean);
const PHRASE = "thaw react slum bask motto";

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

const SPELLINGS = [
  PHRASE,
  "Thaw react slum bask motto",
  " THAW  react\tslum\u00a0bask motto ",
  "thaw-react-slum-bask-motto",
  "thaw – react — slum ‑ bask_motto",
  "Thaw, react. Slum, bask, motto.",
  "ｔｈａｗ　ｒｅａｃｔ　ｓｌｕｍ　ｂａｓｋ　ｍｏｔｔｏ",
  "thaw react sl\u00adum bask motto\u200b",
];

for (const given of SPELLINGS) {
  test(`${JSON.stringify(given)} is the phrase`, () => assert.equal(normalizePhrase(given, BUNDLED), PHRASE));
}

const OTHERS = [
  "",
  " ",
  "Thaw react slum bask",
  "Thaw react slum bask motto thaw",
  "Thaw react slum bask mottoes",
  "Thaw, react: slum bask motto",
  "Thawreactslumbaskmotto",
  " hunter2 ",
  "Correct Horse Battery Staple Now",
  "Thaw react slum bask yo",
];

for (const given of OTHERS) {
  test(`${JSON.stringify(given)} stays as it is`, () => assert.equal(normalizePhrase(given, BUNDLED), given));
}

test("a word with a hyphen is found again", () => {
  for (const given of ["Thaw yo-yo slum yo-yo motto", "thaw-yo-yo-slum-yo-yo-motto", "thaw yo yo slum yo‑yo motto "]) {
    assert.equal(normalizePhrase(given, BUNDLED), "thaw yo-yo slum yo-yo motto", given);
  }
  assert.equal(normalizePhrase("Yoyo yo-yo yoyo yo yo yoyo", BUNDLED), "yoyo yo-yo yoyo yo-yo yoyo");
});

test("every phrase that is made is its own normal form", () => {
  for (let place = 0; place < BUNDLED.length; place += WORD_COUNT) {
    const phrase = Array.from({ length: WORD_COUNT }, (_, next) => BUNDLED[(place + next) % BUNDLED.length]).join(" ");
    for (const given of [phrase, phrase.toUpperCase(), phrase.replaceAll(" ", "-")]) {
      assert.equal(normalizePhrase(given, BUNDLED), phrase);
    }
  }
});

test("the list is asked for only where it can change something", async () => {
  let asked = 0;
  const normalize = makePasswordNormalizer(async () => {
    asked += 1;
    return BUNDLED;
  });
  for (const given of [PHRASE, "hunter2", "", "Thaw react slum bask"]) assert.equal(await normalize(given), given);
  assert.equal(asked, 0);
  assert.equal(await normalize("Thaw react slum bask motto "), PHRASE);
  assert.equal(await normalize("thaw-yo-yo-slum-yo-yo-motto"), "thaw yo-yo slum yo-yo motto");
  assert.equal(await normalize("thaw yo yo slum bask motto"), "thaw yo-yo slum bask motto");
  assert.equal(asked, 3);
});

test("where the list cannot be loaded a password stays as it is", async () => {
  const normalize = makePasswordNormalizer(() => Promise.reject(new TypeError("offline")));
  assert.equal(await normalize("Thaw react slum bask motto"), "Thaw react slum bask motto");
});
