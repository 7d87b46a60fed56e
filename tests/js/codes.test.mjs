import assert from "node:assert/strict";
import { test } from "node:test";

import { isNothingButCode, readCode, spell, whyNoCode } from "../../extension/core/codes.js";
import { codeOfSealedLink, isOnceLink, linkFragment, phraseOfLink } from "../../extension/core/codeSearch.js";

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
  "w-U-r-p": "wUrp",
  "w/U/r/p": "wUrp",
  "w.U.r.p.": "wUrp",
  "wUrp.": "wUrp",
  '"wUrp"': "wUrp",
  "“wUrp”": "wUrp",
  "`wUrp`": "wUrp",
  "(wUrp)": "wUrp",
  "**wUrp**": "wUrp",
  "_wUrp_": "wUrp",
  "Code: wUrp": "wUrp",
  "코드: wUrp": "wUrp",
  "wUrp 🙂": "wUrp",
  "wUrp thanks": "wUrp",
  "\u200ew\u202aU\u00adr\u2066p\ufeff": "wUrp",
  "https://example.org/#wUrp?fbclid=1": "wUrp",
  "https://example.org/#wUrp&x=1": "wUrp",
  "https://example.org/#wUrp)": "wUrp",
  "(see https://example.org/#wUrp.)": "wUrp",
  "https://example.org/#wUrp%20thanks": "wUrp",
  "https://example.org/#%77Urp": "wUrp",
  "<https://host/#wUrp> with love": "wUrp",
  "https://safe.example/?url=https%3A%2F%2Fexample.org%2F%23wUrp&data=1": "wUrp",
  "https://example.org/#wUrp.sealed": "wUrp",
  "https://example.org/#wUrp.sealed.thaw-react-slum-bask-motto": "wUrp",
  "‘wUrp’": "wUrp",
  "「wUrp」": "wUrp",
  "«wUrp»": "wUrp",
  "„wUrp“,": "wUrp",
  "´wUrp´": "wUrp",
  "wUrp,": "wUrp",
  "‘w’ ‘U’ ‘r’ ‘p’": "wUrp",
  "w|U|r|p": "wUrp",
  "Code wUrp": "wUrp",
  "code: w-U-r-p": "wUrp",
  "code w.U.r.p": "wUrp",
  "code = wUrp": "wUrp",
  "The code is wUrp": "wUrp",
  "The code is: “wUrp”.": "wUrp",
  "the code is w U r p": "wUrp",
  "Your code is wUrp": "wUrp",
  "Hello! Your code is wUrp, bye": "wUrp",
  "Anna, save this code: wUrp": "wUrp",
  "This is the code for you: wUrp": "wUrp",
  "Hi Mike, your code: wUrp": "wUrp",
  "code: code": "code",
  "wUrp is the code": "wUrp",
  "코드는 wUrp": "wUrp",
  "코드는 wUrp입니다.": "wUrp",
  "코드는wUrp예요": "wUrp",
  "코드 wUrp": "wUrp",
  "this text 코드: wUrp": "wUrp",
  "コードはwUrpです": "wUrp",
  "the link: https://example.org/#wUrp, open it with love": "wUrp",
  "lowercase w, uppercase U, lowercase r, lowercase p": "wUrp",
  "lower w, upper U, lower r, lower p": "wUrp",
  "lower case w, upper-case U, lower-case r, Lower Case p": "wUrp",
  "small w, cap U, small r, small p": "wUrp",
  "code: small w, BIG U, small r, small p": "wUrp",
  "The code is whiskey UNIFORM romeo papa.": "wUrp",
  "코드는 소문자 w, 대문자 U, 소문자 r, 소문자 p": "wUrp",
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
  "wUrp or aaaa",
  "code: wUrp or aaaa",
  "#wUrpx.sealed.thaw-react-agony-motto-april",
  "the code is this: that or wUrp",
  "wUrp. The code is only for you",
  "wUrp (code: see Anna)",
  "Code code",
  "don't",
  "lower case w, upper case U", // "case" is no code, it is half of a spelling
  "code: papa UNIFORM romeo",
  "lower w, upper U, lower r, case p",
  "wUrp는 aaaa",
  "wÜrp입니다",
  "#wUrp #aaaa",
  "https://example.org/#wUrp1",
  "http://host/",
  "АВСЕ", // shapes of Latin letters, keys of others
  "СОРА",
  "https://example.org/",
  "small w, BIG U, small r",
  "small w, BIG U, small r, small",
  "small big w, U, r, p",
  "Whiskey Uniform Romeo Papa", // it is unknown which of them are big
];

for (const [given, code] of Object.entries(READ)) {
  test(`reads ${JSON.stringify(given)}`, () => assert.equal(readCode(given), code));
}

for (const given of REFUSED) {
  test(`refuses ${JSON.stringify(given)}`, () => assert.equal(readCode(given), null));
}

test("the keys give the case that Hangul does not show", () => {
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

const REASONS = {
  "wUrp or aaaa": "two_codes",
  "#wUrp #aaaa": "two_codes",
  "code: wUrp or aaaa": "two_codes",
  "АВСЕ": "look_alike_code",
  "wUr1": "code_digits",
  "w 0 r p": "code_digits",
  "“1234”": "code_digits",
  "The code is w0rp.": "code_digits",
  "https://example.org/#wUr1": "code_digits",
  "https://example.org:8080/": "bad_code",
  "wUr12": "bad_code",
  "": "bad_code",
  "...": "bad_code",
  "wÜrp": "bad_code",
  "hello world": "bad_code",
  "papa UNIFORM romeo whisky": "bad_code",
  "Whiskey Uniform Romeo Papa": "bad_code",
  "small w, BIG U, small r, small": "bad_code",
};

for (const [given, key] of Object.entries(REASONS)) {
  test(`${JSON.stringify(given)} is refused as ${key}`, () => assert.deepEqual(whyNoCode(given), [key]));
}

const LENGTHS = {
  w: 1,
  wUr: 3,
  wUrpx: 5,
  "“wUrpx”.": 5,
  "ｗＵｒ": 3,
  "w-U-r": 3,
  "w U r p x": 5,
  "code: wUr": 3,
  "Your code is wUrpx": 5,
  "#wUrpx": 5,
  whiskey: 7,
  "small w, BIG U, small r": 3,
  "whiskey UNIFORM romeo": 3,
};

for (const [given, count] of Object.entries(LENGTHS)) {
  test(`${JSON.stringify(given)} has ${count} letters`, () => {
    const [key, values] = whyNoCode(given);
    assert.equal(key, "code_length");
    assert.deepEqual(values({ count: (...counted) => counted.join(" ") }), { letters: `code_length ${count}` });
  });
}

test("look-alikes whose keys were seen are those keys", () => assert.equal(readCode("АВСЕ", "FDCT"), "FDCT"));

test("a link says that its text is sealed", () => {
  assert.equal(codeOfSealedLink(`https://example.org/#${linkFragment("wUrp", { isSealed: true })}`), "wUrp");
  for (const given of [`#${linkFragment("wUrp", { isSealed: false })}`, "#wUrp.", "#wUrp.sealedx", "wUrp.sealed"]) {
    assert.equal(codeOfSealedLink(given), null, given);
  }
});

test("a long text that was pasted by mistake is refused at once", () => {
  const start = performance.now();
  for (const given of ["x".repeat(1e6), `codes${" ".repeat(1e6)}x`, "a-".repeat(5e5)]) assert.equal(readCode(given), null);
  assert.ok(performance.now() - start < 5_000);
});

const PHRASE = "thaw react slum bask motto";
const WITH_PHRASE = `#${linkFragment("wUrp", { isSealed: true, phrase: PHRASE })}`;

test("a link may carry the phrase; without one it is what it was", () => {
  assert.equal(WITH_PHRASE, "#wUrp.sealed.thaw-react-slum-bask-motto");
  assert.equal(linkFragment("wUrp", { isSealed: true }), "wUrp.sealed");
  assert.equal(linkFragment("wUrp", { isSealed: true, phrase: "" }), "wUrp.sealed");
  assert.equal(linkFragment("wUrp"), "wUrp");
  assert.equal(linkFragment("wUrp", { isSealed: false }), "wUrp");
  assert.equal(linkFragment("wUrp", { isSealed: false, phrase: PHRASE }), "wUrp");
});

test("a password that a link would change is left out", () => {
  for (const password of ["Thaw react", "thaw  react", " thaw react", "thaw_x react", "thaw-", "hunter", "a 1", "ä b"]) {
    assert.equal(linkFragment("wUrp", { isSealed: true, phrase: password }), "wUrp.sealed", password);
  }
});

test("a word with a hyphen comes out as it went in", () => {
  const fragment = linkFragment("wUrp", { isSealed: true, phrase: "thaw yo-yo slum bask motto" });
  assert.equal(fragment, "wUrp.sealed.thaw-yo_yo-slum-bask-motto");
  assert.equal(phraseOfLink(`https://example.org/#${fragment}`), "thaw yo-yo slum bask motto");
});

const PHRASE_LINKS = [
  `https://example.org/${WITH_PHRASE}`,
  `<https://example.org/saver/${WITH_PHRASE}>`,
  `(see https://example.org/${WITH_PHRASE}).`,
  `**https://example.org/${WITH_PHRASE}**`,
  `_https://example.org/${WITH_PHRASE}_`,
  `https://example.org/${WITH_PHRASE}. Thanks!`,
  `https://example.org/${WITH_PHRASE}&fbclid=1`,
  `https://example.org/${WITH_PHRASE}%20thanks`,
  `https://example.org/${WITH_PHRASE.replaceAll("-", "%2D").replaceAll(".", "%2E")}`,
  `https://safe.example/?url=${encodeURIComponent(`https://example.org/${WITH_PHRASE}`)}&data=1`,
  `https://example.org/${WITH_PHRASE} https://example.org/${WITH_PHRASE}`,
];

for (const given of PHRASE_LINKS) {
  test(`takes code and phrase from ${given}`, () => {
    assert.equal(phraseOfLink(given), PHRASE);
    assert.equal(codeOfSealedLink(given), "wUrp");
    assert.equal(readCode(given), "wUrp");
  });
}

test("what is no phrase of a link is none", () => {
  const others = ["#wUrp", "#wUrp.sealed", "#wUrp.sealed.", "#wUrp.sealed.Thaw-react", "#wUrp.sealed.thaw-react3"];
  others.push("#wUrp.sealed.thaw-react-", "#wUrp.sealed.thanks", "wUrp.sealed.thaw-react", "#wUrpx.sealed.thaw-react");
  others.push("#wUrp.sealed.thaw-räkt", "#wUrp.thaw-react", "#wUrp.sealed.a-b #wUrp.sealed.c-d", "#wUrp.sealed.a--b");
  for (const given of others) assert.equal(phraseOfLink(given), null, given);
});

const ONCE_LINKS = [
  "#wUrp.once",
  "#wUrp.sealed.once",
  "#wUrp.sealed.thaw-yo_yo-slum.once",
  "#wUrp.sealed.once-more.once",
  "_https://example.org/#wUrp.once_",
  "(see https://example.org/#wUrp.once).",
  "https://example.org/#wUrp.once. Thanks!",
  "https://example.org/#wUrp.once&fbclid=1",
  "https://example.org/#wUrp%2Eonce",
];

for (const given of ONCE_LINKS) {
  test(`${given} says that its text is read once, and still opens it`, () => {
    assert.equal(isOnceLink(given), true);
    assert.equal(readCode(given), "wUrp");
    assert.equal(codeOfSealedLink(given), given.includes("sealed") ? "wUrp" : null);
  });
}

test("what does not say that a text is read once does not", () => {
  const others = ["#wUrp", "wUrp.once", "#wUrp.oncex", "#wUrp.once1", "#wUrpx.once", "#wUrp.sealed", "#wUrp.sealed.thaw-react"];
  for (const given of [...others, "#wUrp.sealed.once-more", "#wUrp once"]) assert.equal(isOnceLink(given), false, given);
});

test("a link says everything that it is made with, and each mark comes out as it went in", () => {
  for (const isSealed of [false, true]) {
    for (const once of [false, true]) {
      for (const phrase of ["", PHRASE]) {
        const link = `https://example.org/#${linkFragment("wUrp", { isSealed, once, phrase })}`;
        assert.equal(readCode(link), "wUrp", link);
        assert.equal(codeOfSealedLink(link), isSealed ? "wUrp" : null, link);
        assert.equal(isOnceLink(link), once, link);
        assert.equal(phraseOfLink(link), isSealed && phrase ? phrase : null, link);
      }
    }
  }
  assert.equal(linkFragment("wUrp", { once: true }), "wUrp.once");
  assert.equal(linkFragment("wUrp", { isSealed: true, once: true, phrase: "thaw react" }), "wUrp.sealed.thaw-react.once");
});

const NOTHING_BUT_CODES = [
  "wUrp",
  " wUrp\n",
  "“wUrp”.",
  "(wUrp)",
  "ｗＵｒｐ",
  "https://example.org/#wUrp",
  "https://example.org/#wUrp.sealed.thaw-react.once",
  "https://example.org/#wUrp%20",
];

for (const given of NOTHING_BUT_CODES) {
  test(`${JSON.stringify(given)} is nothing but a code`, () => assert.equal(isNothingButCode(given, "https://example.org/"), true));
}

const TEXTS_WITH_CODES = [
  "https://en.wikipedia.org/wiki/Lead#Uses",
  "https://example.org/other/#wUrp",
  "",
  "please save this",
  "wUrp thanks",
  "code: wUrp",
  "w U r p",
  "small w, BIG U, small r, small p",
  "цГкз",
  "see https://example.org/#wUrp",
  "https://example.org/#wUrp thanks",
  "https://example.org/#wUrpx",
  "https://example.org/wUrp",
  "ftp://example.org/#wUrp",
];

for (const given of TEXTS_WITH_CODES) {
  test(`${JSON.stringify(given)} is a text`, () => assert.equal(isNothingButCode(given, "https://example.org/"), false));
}
