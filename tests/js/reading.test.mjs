import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedResponse, Invalid, NoText, NotSealed, Unreachable } from "../../extension/core/errors.js";
import { makeReader } from "../../extension/core/reading.js";
import { makeMemoryItem } from "../../extension/core/storage.js";
import { BadSealError, WeakSealError, seal } from "../../extension/core/seal.js";

const OPEN = { text: "hello", secondsLeft: 600, once: false, sealed: false };
const { jwe, proof } = await seal("locked", "right");
const { kdf } = JSON.parse(Buffer.from(jwe.split(".")[0], "base64url").toString());
const SEALED = { ...OPEN, text: jwe, sealed: true };

/** A service that answers as `answer` does; `asked` holds what it got. */
function reader(answer, attemptItem = makeMemoryItem(), normalizePassword = undefined) {
  const asked = [];
  const acked = [];
  const api = {
    load: async (code, shown) => {
      asked.push({ code, ...shown });
      const given = answer(shown, asked.length, code);
      if (given instanceof Error) throw given;
      return given;
    },
    ack: async (...given) => {
      acked.push(given);
      throw new Unreachable();
    },
  };
  return { ...makeReader({ api, attemptItem, normalizePassword }), asked, acked };
}

const locked = (shown) => (shown.proof === proof ? SEALED : new NoText(kdf));

test("an open text comes at once", async () => {
  const { load, asked, acked } = reader(() => OPEN);
  const { text, acknowledge } = await load("wUrp");
  await acknowledge();
  assert.equal(text, "hello");
  assert.deepEqual([asked.length, acked.length], [1, 0]);
});

test("a sealed text is opened with the parameters of the 404", async () => {
  const { load, asked } = reader(locked);
  await assert.rejects(load("wUrp"), NoText);
  await assert.rejects(load("wUrp", "wrong"), NoText);
  assert.equal((await load("wUrp", "right")).text, "locked");
  assert.deepEqual(asked.map((each) => each.proof === proof), [false, false, true]);
  assert.equal(new Set(asked.map(({ claim }) => claim)).size, 1);
  assert.ok(asked.every((each) => !("password" in each)));
});

test("with a password at hand the first question is asked by itself", async () => {
  const { load, asked } = reader(locked);
  assert.equal((await load("wUrp", "right")).text, "locked");
  assert.equal(asked.length, 2);
  assert.equal(asked[0].proof, undefined);
});

test("another code is another reader, and its parameters are asked for", async () => {
  const { load, asked } = reader((shown, _, code) => (code === "wUrp" ? new NoText(kdf) : OPEN));
  await assert.rejects(load("wUrp"), NoText);
  assert.equal((await load("aaaa")).text, "hello");
  assert.equal(asked[1].proof, undefined);
  assert.notEqual(asked[0].claim, asked[1].claim);
});

test("an open answer to a proof is never shown", async () => {
  const { load, acked } = reader((shown) => (shown.proof ? { ...OPEN, once: true } : new NoText(kdf)));
  await assert.rejects(load("wUrp", "right"), { constructor: NotSealed, isShowable: false });
  assert.deepEqual(acked, []);
});

test("an open text for which a password was typed is shown only to whoever asks without one", async () => {
  const { load, asked, acked } = reader(() => ({ ...OPEN, once: true }));
  await assert.rejects(load("wUrp", "typed"), { constructor: NotSealed, isShowable: true });
  assert.deepEqual(acked, []);
  assert.equal((await load("wUrp")).text, "hello");
  assert.equal(asked[0].claim, asked[1].claim);
});

test("a link that promises a sealed text takes no open one", async () => {
  const { load } = reader(() => OPEN);
  for (const password of ["", "typed"]) {
    await assert.rejects(load("wUrp", password, true), { constructor: NotSealed, isShowable: false });
  }
  assert.equal((await reader(locked).load("wUrp", "right", true)).text, "locked");
});

for (const weak of [{ ...kdf, iterations: 1 }, { ...kdf, name: "none" }, { ...kdf, salt: "" }, undefined]) {
  test(`no proof is made with ${JSON.stringify(weak)}, and the next try asks anew`, async () => {
    const { load, asked } = reader(() => new NoText(weak));
    await assert.rejects(load("wUrp"), NoText);
    await assert.rejects(load("wUrp", "right"), WeakSealError);
    await assert.rejects(load("wUrp", "right"), WeakSealError);
    assert.ok(asked.every((each) => !("proof" in each) && !("password" in each)));
  });
}

test("what does not open is not shown", async () => {
  const other = await seal("another", "right");
  const torn = { ...SEALED, text: `${jwe.slice(0, -3)}AAA` };
  for (const answer of [{ ...SEALED, text: other.jwe }, torn, { ...SEALED, text: "hello" }]) {
    const { load } = reader((shown) => (shown.proof ? answer : new NoText(kdf)));
    await assert.rejects(load("wUrp", "right"), BadSealError);
  }
  await assert.rejects(reader(() => SEALED).load("wUrp"), UnexpectedResponse);
});

test("a password that cannot be one is refused as the service would", async () => {
  const { load } = reader(locked);
  await assert.rejects(load("wUrp", "a\0"), { constructor: Invalid, field: "password" });
});

test("a lost answer is asked for by the same reader, the next time by another", async () => {
  const once = { ...OPEN, once: true };
  const { load, asked, acked } = reader((_, times) => (times === 1 ? new Unreachable() : once));
  await assert.rejects(load("wUrp"), Unreachable);
  const { acknowledge } = await load("wUrp");
  await acknowledge();
  await load("wUrp");
  assert.equal(asked[0].claim, asked[1].claim);
  assert.notEqual(asked[1].claim, asked[2].claim);
  const ack = ["wUrp", asked[0].claim];
  assert.deepEqual(acked, [ack]);
});

test("who asks again after the page was closed is the same reader", async () => {
  const slot = makeMemoryItem();
  const first = reader(() => new Unreachable(), slot);
  await assert.rejects(first.load("wUrp", "right"), Unreachable);
  assert.deepEqual(Object.keys(await slot.get()).sort(), ["claim", "code"]);
  const second = reader(() => OPEN, slot);
  const { acknowledge } = await second.load("wUrp");
  assert.equal(second.asked[0].claim, first.asked[0].claim);
  assert.notEqual(await slot.get(), null, "until it was seen");
  await acknowledge();
  assert.equal(await slot.get(), null);
});


/** A reader that takes another spelling of "right" for it. */
const forgiving = (answer) => reader(answer, makeMemoryItem(), async (given) => (/^\s*right\s*$/i.test(given) ? "right" : given));

test("another spelling of a phrase opens with one derivation and no miss", async () => {
  const { load, asked } = forgiving(locked);
  assert.equal((await load("wUrp", "Right ")).text, "locked");
  assert.deepEqual(asked.map((each) => each.proof), [undefined, proof]);
});

test("what was saved under another spelling of a phrase opens with exactly this spelling", async () => {
  const own = await seal("own", "Right ");
  const kdfOfOwn = JSON.parse(Buffer.from(own.jwe.split(".")[0], "base64url").toString()).kdf;
  const answer = (shown) => (shown.proof === own.proof ? { ...SEALED, text: own.jwe } : new NoText(kdfOfOwn));
  const { load, asked } = forgiving(answer);
  assert.equal((await load("wUrp", "Right ")).text, "own");
  assert.equal(asked.length, 3);
  await assert.rejects(load("wUrp", "right"), NoText);
  await assert.rejects(load("wUrp", "RIGHT"), NoText);
});

test("a password that is no phrase, or is spelled as it was made, is tried once", async () => {
  for (const given of ["wrong", "right"]) {
    const { load, asked } = forgiving(() => new NoText(kdf));
    await assert.rejects(load("wUrp", given), NoText);
    assert.equal(asked.length, 2);
  }
});

test("only a refusal leads to the other spelling", async () => {
  const { load, asked } = forgiving((shown) => (shown.proof ? new Unreachable() : new NoText(kdf)));
  await assert.rejects(load("wUrp", "Right "), Unreachable);
  assert.equal(asked.length, 2);
});

test("where the service opens, it gets the two spellings in the same order", async (context) => {
  const { subtle } = globalThis.crypto;
  Object.defineProperty(globalThis.crypto, "subtle", { value: undefined, configurable: true });
  context.after(() => Object.defineProperty(globalThis.crypto, "subtle", { value: subtle, configurable: true }));
  const { load, asked } = forgiving((shown) => (shown.password === "Right " ? OPEN : new NoText(kdf)));
  assert.equal((await load("wUrp", "Right ")).text, "hello");
  assert.deepEqual(asked.map((each) => each.password), ["right", "Right "]);
});
