/** Live codes: what is read as one, and what must never be taken for the code of a stored text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatLiveCode, readLiveCode, startsWithNumber } from "../../extension/core/liveCodes.js";

const READ = ["7 wUrp", "7wUrp", "7 #wUrp", " 7  wUrp\n", "7-wUrp", "7: wUrp.", "(7) “wUrp”", "７　ｗＵｒｐ", "\u200e7\u00a0wUrp\ufeff"];
READ.push("7 w U r p", "7 whiskey UNIFORM romeo papa", "7: small w, BIG U, small r, small p", "7, 소문자 w 대문자 U 소문자 r 소문자 p");
const REFUSED = ["0 wUrp", "07 wUrp", "12345 wUrp", "7 wUr", "7 wUrpx", "7 wUrp 8", "7 wÜrp", "7"];

for (const given of READ) {
  test(`${given} is a live code`, () => {
    assert.deepEqual(readLiveCode(given), { number: 7, letters: "wUrp" });
    assert.ok(startsWithNumber(given));
  });
}

for (const given of REFUSED) {
  test(`${given} is none, and no code either`, () => {
    assert.equal(readLiveCode(given), null);
    assert.ok(startsWithNumber(given));
  });
}

test("what a stored text has is no live code", () => {
  for (const given of ["", "wUrp", "wUrp 7", "https://example.org/#wUrp", "127.0.0.1:5000/#wUrp"]) {
    assert.equal(readLiveCode(given), null);
    assert.ok(!startsWithNumber(given));
  }
});

test("a live code is shown with one space", () => {
  assert.equal(formatLiveCode({ number: 9999, letters: "ZZZZ" }), "9999 ZZZZ");
});
