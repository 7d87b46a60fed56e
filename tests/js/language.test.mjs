import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { compileFunction } from "node:vm";

const PAGE = "https://saver.example/memo/";
// No module, and run anew by each test.
const RUN = compileFunction(readFileSync(new URL("../../saver/web/language.js", import.meta.url), "utf8"));

/** Run the script of the head; where it leads, or null. */
function run({ address, lang = "en", stored = null, refused = false }) {
  let target = null;
  const getItem = (name) => (name === "lang" ? stored : null);
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get() {
      if (refused) throw new DOMException("refused");
      return { getItem };
    },
  });
  globalThis.document = { documentElement: { lang } };
  globalThis.location = { href: address, replace: (given) => (target = String(given)) };
  RUN();
  return target;
}

afterEach(() => {
  delete globalThis.document;
  delete globalThis.location;
  delete globalThis.localStorage;
});

test("the language that was chosen before is gone to, with the fragment", () => {
  assert.equal(run({ address: `${PAGE}#wUrp`, stored: "ko" }), `${PAGE}?lang=ko#wUrp`);
  assert.equal(run({ address: PAGE, stored: "zh-Hans" }), `${PAGE}?lang=zh-Hans`);
});

test("nobody is led elsewhere who chose none, has it already, or asks for another", () => {
  assert.equal(run({ address: PAGE }), null);
  assert.equal(run({ address: PAGE, stored: "en" }), null);
  assert.equal(run({ address: `${PAGE}?lang=en`, stored: "ko" }), null);
  assert.equal(run({ address: PAGE, stored: "ko", refused: true }), null);
});

test("what is stored stays a part of the query", () => {
  const target = run({ address: PAGE, stored: "//evil.example/?a=b&c#d" });
  assert.equal(new URL(target).origin + new URL(target).pathname, PAGE);
  assert.deepEqual([...new URL(target).searchParams.keys()], ["lang"]);
});
