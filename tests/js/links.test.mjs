import assert from "node:assert/strict";
import { test } from "node:test";

import { singleAddress } from "../../extension/core/links.js";

const ADDRESSES = {
  "https://example.org/": "https://example.org/",
  " http://example.org/a?b=c#d \n": "http://example.org/a?b=c#d",
  "HTTPS://Example.org": "https://example.org/",
  "https://example.org:8080/한글": "https://example.org:8080/%ED%95%9C%EA%B8%80",
  "http://127.0.0.1:8000/": "http://127.0.0.1:8000/",
  "https://example.org/@name": "https://example.org/@name",
  // What is shown is where it leads: the first letter is Cyrillic.
  "https://еxample.org/": "https://xn--xample-2of.org/",
};

const OTHERS = [
  "",
  "example.org",
  "see https://example.org/",
  "https://example.org/ https://example.org/",
  "https://exa\nmple.org/",
  "https://example.org/a b",
  ["java", "script:alert(1)"].join(""),
  "data:text/html,x",
  "ftp://example.org/",
  "file:///etc/passwd",
  "https:example.org",
  "https:/example.org",
  "https:\\\\example.org",
  "https://",
  "https://user@example.org/",
  "https://user:secret@example.org/",
  "https://:secret@example.org/",
  "https://exam\u202eple.org/gro",
  "https://example.org/\u202egpj.exe",
  "https://example.org/\u0007",
  `https://example.org/${"a".repeat(2_000)}`,
];

for (const [given, address] of Object.entries(ADDRESSES)) {
  test(`${JSON.stringify(given)} is an address`, () => assert.equal(singleAddress(given), address));
}

for (const given of OTHERS) {
  test(`${JSON.stringify(given).slice(0, 60)} is none`, () => assert.equal(singleAddress(given), null));
}

test("an address has at most 2,000 characters", () => {
  const longest = `https://example.org/${"a".repeat(1_980)}`;
  assert.equal(singleAddress(longest), longest);
  assert.equal(singleAddress(`${longest}a`), null);
  assert.equal(singleAddress(` ${longest}\n`), longest);
});
