import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { BadSealError, WeakSealError, canSeal, checkParameters, deriveKeys, open, seal } from "../../extension/core/seal.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/sealed-text.json", import.meta.url), "utf8"));
const [first] = vectors.texts;
const SALT = first.salt;
const COST = "PBKDF2-SHA256";

const parametersOf = ({ iterations, salt }) => ({ name: COST, iterations, salt });
const textOf = ({ text, repeat, times }) => text ?? repeat.repeat(times);
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64url"));

/** Derives once for all tests: each derivation takes a fifth of a second. */
const derived = new Map();
function keysOf(password, parameters) {
  const name = JSON.stringify([password, parameters]);
  if (!derived.has(name)) derived.set(name, deriveKeys(password, parameters));
  return derived.get(name);
}

/** The salt and the nonce of a vector, in the order in which they are asked for. */
function notRandom(...given) {
  const left = given.map(bytesOf);
  return (length) => {
    assert.equal(left[0]?.length, length);
    return left.shift();
  };
}

/** WebCrypto that notes how often and how it is asked to derive slowly. */
function counting() {
  const costs = [];
  const { subtle } = crypto;
  const deriveBits = (how, ...rest) => {
    if (how.name === "PBKDF2") costs.push(how.iterations);
    return subtle.deriveBits(how, ...rest);
  };
  const others = ["importKey", "deriveKey", "encrypt", "decrypt"];
  return { costs, subtle: { ...Object.fromEntries(others.map((name) => [name, subtle[name].bind(subtle)])), deriveBits } };
}

for (const vector of vectors.texts) {
  test(`${vector.name}: every password yields the proof`, async () => {
    for (const password of vector.passwords) {
      assert.equal((await keysOf(password, parametersOf(vector))).proof, vector.proof);
    }
  });

  test(`${vector.name}: sealed to the byte`, async () => {
    const { iterations, salt, nonce } = vector;
    const random = notRandom(salt, nonce);
    const { jwe, proof } = await seal(textOf(vector), vector.passwords[0], { iterations, random });
    assert.equal(proof, vector.proof);
    if (vector.name === "members in another order") assert.notEqual(jwe, vector.jwe);
    else if (vector.jwe) assert.equal(jwe, vector.jwe);
    else assert.equal(createHash("sha256").update(jwe).digest("base64url"), vector.jwe_sha256);
    vector.jwe ??= jwe;
  });

  test(`${vector.name}: opened to the byte`, async () => {
    const keys = await keysOf(vector.passwords[0], parametersOf(vector));
    assert.equal(await open(vector.jwe, keys), textOf(vector));
  });
}

for (const { name, password, jwe, rule } of vectors.refused) {
  test(`refused: ${name}`, async () => {
    const keys = await keysOf(password, parametersOf(first));
    await assert.rejects(open(jwe, keys), (error) => {
      assert.ok(error instanceof BadSealError);
      assert.equal(error.message, rule ?? error.message);
      return true;
    });
  });
}

test("parameters of a 404 that may be derived with", () => {
  for (const parameters of vectors.parameters.accepted) {
    assert.deepEqual(checkParameters({ ...parameters, more: 1 }), parameters);
  }
});

for (const { parameters, rule } of vectors.parameters.refused) {
  test(`refused before anything is derived: ${JSON.stringify(parameters)}`, async () => {
    const { costs, subtle } = counting();
    const weak = { name: "WeakSealError", message: rule };
    assert.throws(() => checkParameters(parameters), weak);
    await assert.rejects(deriveKeys("password", parameters, { subtle }), weak);
    assert.deepEqual(costs, []);
  });
}

test("no parameters at all are refused", () => {
  for (const nothing of [undefined, null, {}, [], "", 5]) assert.throws(() => checkParameters(nothing), WeakSealError);
});

test("nothing is sealed with weak parameters", async () => {
  const { costs, subtle } = counting();
  for (const iterations of [1, 599_999, 10_000_001, "600000"]) {
    await assert.rejects(seal("text", "password", { iterations, subtle }), WeakSealError);
  }
  assert.deepEqual(costs, []);
});

test("what was checked is what is derived with", async () => {
  const { costs, subtle } = counting();
  const asked = [600_000, 1, 1, 1];
  const parameters = { name: COST, salt: SALT, get iterations() { return asked.shift(); } };
  const keys = await deriveKeys("password", parameters, { subtle });
  assert.deepEqual(costs, [600_000]);
  assert.deepEqual(keys.parameters, { name: COST, salt: SALT, iterations: 600_000 });
});

test("a seal costs one derivation of 600,000, opening it another, each with its own salt and nonce", async () => {
  const { costs, subtle } = counting();
  const { jwe, proof } = await seal("text", "password", { subtle });
  const other = await seal("text", "password", { subtle });
  assert.deepEqual(costs, [600_000, 600_000]);
  const [header, , nonce] = jwe.split(".");
  assert.notEqual(header, other.jwe.split(".")[0]);
  assert.notEqual(nonce, other.jwe.split(".")[2]);
  assert.notEqual(proof, other.proof);
  const { kdf } = JSON.parse(Buffer.from(header, "base64url"));
  const keys = await deriveKeys("password", kdf, { subtle });
  assert.equal(keys.proof, proof);
  assert.equal(await open(jwe, keys, { subtle }), "text");
});

test("a text with other parameters than those of the 404 is refused", async () => {
  const keys = await keysOf(first.passwords[0], parametersOf(first));
  const rule = { name: "BadSealError", message: "kdf: must be what the key was derived with" };
  for (const vector of vectors.texts.filter((each) => each !== first)) await assert.rejects(open(vector.jwe, keys), rule);
  const lied = { ...keys, parameters: { ...keys.parameters, iterations: 600_001 } };
  await assert.rejects(open(first.jwe, lied), rule);
});

test("the key cannot be taken out", async () => {
  const { key } = await keysOf(first.passwords[0], parametersOf(first));
  assert.equal(key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", key));
});

for (const text of ["", "\0", "a\0b", "\ud800", "a\udc00b"]) {
  test(`the text ${JSON.stringify(text)} is refused`, async () => {
    await assert.rejects(seal(text, "password"), { name: "BadSealError", message: /^text: / });
  });
}

for (const password of ["", "\0", "password\0", "\ud800", "x".repeat(1025)]) {
  test(`the password ${JSON.stringify(password.slice(0, 10))} is refused`, async () => {
    const { costs, subtle } = counting();
    const rule = { name: "BadSealError", message: /^password: / };
    await assert.rejects(seal("text", password, { subtle }), rule);
    await assert.rejects(deriveKeys(password, parametersOf(first), { subtle }), rule);
    assert.deepEqual(costs, []);
  });
}

test("a megabyte goes in and out", async () => {
  const keys = await keysOf(first.passwords[0], parametersOf(first));
  const text = "줄\r\n".repeat(209_715);
  const { jwe } = await seal(text, first.passwords[0], { random: notRandom(first.salt, first.nonce) });
  assert.equal(await open(jwe, keys), text);
});

test("no character can be changed", async () => {
  const keys = await keysOf(first.passwords[0], parametersOf(first));
  for (let place = 0; place < first.jwe.length; place += 1) {
    for (const other of ["A", "B", "_", "=", ".", "\n", "é"]) {
      const changed = first.jwe.slice(0, place) + other + first.jwe.slice(place + 1);
      if (changed !== first.jwe) await assert.rejects(open(changed, keys), BadSealError);
    }
  }
});

test("it is known whether texts can be sealed here", () => assert.equal(canSeal(), true));
