import assert from "node:assert/strict";
import { test } from "node:test";

import { readCode, spell } from "../../extension/core/codes.js";

const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const READ = {
  wUrp: "wUrp",
  " wUrp\n": "wUrp",
  "w U r p": "wUrp",
  "w\u00a0U\u3000r\u200bp\ufeff": "wUrp",
  "ｗＵｒｐ": "wUrp",
  "#wUrp": "wUrp",
  "https://example.org/saver/#wUrp": "wUrp",
  "small w, BIG U, small r, small p": "wUrp",
  "소문자 w, 대문자 U, 소문자 r, 소문자 p": "wUrp",
  "소문자w 대문자U 소문자r 소문자p": "wUrp",
  "whiskey UNIFORM romeo papa": "wUrp",
  "Small Whiskey, Big Uniform, small Romeo, small Papa.": "wUrp",
  "alpha ALFA juliet X-RAY": "aAjX",
  "цГкз": "wUrp",
  "ㅉㄱㅒㅔ": "WrOp",
  "쩨꼐": "WpRP",
};

const REFUSED = [
  "",
  "wUr",
  "wUrpx",
  "w0rp",
  "wUr1",
  "wÜrp",
  "wUrр", // the last letter is Cyrillic
  "ㅈㅕ개ㅔ",
  "w-U-r-p",
  "https://example.org/",
  "small w, BIG U, small r",
  "small w, BIG U, small r, small",
  "small big w, U, r, p",
  "Whiskey Uniform Romeo Papa", // nobody can tell which of them are big
];

for (const [given, code] of Object.entries(READ)) {
  test(`reads ${JSON.stringify(given)}`, () => assert.equal(readCode(given), code));
}

for (const given of REFUSED) {
  test(`refuses ${JSON.stringify(given)}`, () => assert.equal(readCode(given), null));
}

test("the keys tell the case that Hangul does not show", () => {
  assert.equal(readCode("ㅈㅕㄱㅔ", "wUrp"), "wUrp");
  assert.equal(readCode("져게", "wUrp"), "wUrp");
  for (const typed of ["", "wUr", "xUrp", "wUrpx"]) assert.equal(readCode("져게", typed), null, typed);
});

test("reads back every letter as it is spelled", () => {
  for (const letter of ALPHABET) {
    const code = letter.repeat(4);
    const spelled = spell(code);
    const said = spelled.map(({ big, letter: each }) => `${big ? "BIG" : "small"} ${each}`).join(", ");
    assert.equal(readCode(said), code);
    assert.equal(readCode(spelled.map(({ word }) => word).join(" ")), code);
  }
});
