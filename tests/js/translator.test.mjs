import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as errors from "../../extension/core/errors.js";
import { errorMessage } from "../../extension/ui/errorMessages.js";
import { LANGUAGES, makeTranslator } from "../../extension/ui/translator.js";

const read = (language) => JSON.parse(readFileSync(new URL(`../../extension/ui/${language}.json`, import.meta.url)));
const translations = Object.fromEntries(LANGUAGES.map((language) => [language, read(language)]));
const holes = (message) => [...message.matchAll(/\{\w+\}/g)].map(String).sort();

test("every language has the same messages with the same values", () => {
  const keys = Object.keys(translations.en);
  for (const language of LANGUAGES) {
    // A language may have forms for a few and for many.
    const own = Object.keys(translations[language]).filter((key) => !(key.replace(/_(few|many)$/, "_other") in translations.en && !(key in translations.en)));
    assert.deepEqual(own, keys);
    for (const key of keys) {
      assert.notEqual(translations[language][key].trim(), "", `${language} ${key}`);
      assert.deepEqual(holes(translations[language][key]), holes(translations.en[key]), `${language} ${key}`);
    }
  }
});

test("what is Korean is written in Korean", () => {
  for (const [key, message] of Object.entries(translations.ko)) {
    if (/\p{L}/u.test(message.replace(/\{\w+\}/g, ""))) assert.match(message, /[가-힣]/, key);
  }
});

test("every error has a message in every language", () => {
  const made = Object.values(errors).map((Kind) => new Kind(90));
  made.push(...["text", "password", "code", "expires_in"].map((field) => new errors.Invalid(field, "")));
  for (const language of LANGUAGES) {
    const translator = makeTranslator(translations, language);
    for (const error of made) {
      const [key, values] = errorMessage(error);
      assert.doesNotMatch(translator.t(key, values?.(translator)), /undefined/, error.name);
    }
  }
});

test("an unknown message is a mistake, not an empty place", () => {
  assert.throws(() => makeTranslator(translations, "en").t("nothing"), /no message nothing/);
});

const DURATIONS = [
  [0, "0 seconds", "0초"],
  [1, "1 second", "1초"],
  [59, "59 seconds", "59초"],
  [60, "1 minute", "1분"],
  [599, "9 minutes 59 seconds", "9분 59초"],
  [3_605, "1 hour", "1시간"],
  [86_400, "24 hours", "24시간"],
  [2_592_000, "30 days", "30일"],
  [176_400, "2 days 1 hour", "2일 1시간"],
];

for (const [seconds, en, ko] of DURATIONS) {
  test(`${seconds} seconds are ${en}`, () => {
    assert.equal(makeTranslator(translations, "en").duration(seconds), en);
    assert.equal(makeTranslator(translations, "ko").duration(seconds), ko);
  });
}

test("one is one and many are many", () => {
  const translator = makeTranslator(translations, "en");
  assert.equal(translator.count("characters", 1), "1 character");
  assert.equal(translator.count("characters", 1_234), "1,234 characters");
  translator.setLanguage("ko");
  assert.equal(translator.count("characters", 1), "1자");
});
