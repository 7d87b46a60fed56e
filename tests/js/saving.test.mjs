import assert from "node:assert/strict";
import { test } from "node:test";

import { Invalid, NoText, Unreachable } from "../../extension/core/errors.js";
import { fetchSecondsLeft, makeSaver, newWrite } from "../../extension/core/saving.js";
import { deriveKeys, open } from "../../extension/core/seal.js";
import { makeMemoryItem } from "../../extension/core/storage.js";
import { makeUuid } from "../../extension/core/uuid.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const WANTED = { text: "hello", password: "", expiresIn: 600, once: false };
const WRITTEN = { code: "wUrp", ownerToken: "t", secondsLeft: 600 };
const KEPT = { ...WRITTEN, isSealed: false, once: false };

/** A service that answers with these one after the other; `sent` holds what it got. */
function saver(...answers) {
  return saverWith(makeMemoryItem(), ...answers);
}

function saverWith(outbox, ...answers) {
  const sent = [];
  const write = async (draft, key) => {
    sent.push({ body: JSON.stringify(draft), key });
    const answer = answers.shift() ?? WRITTEN;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ...makeSaver({ api: { write }, outbox }), sent };
}

test("a text with a password is sealed, and opens with it", async () => {
  const { save, sent } = saver();
  await save({ ...WANTED, password: "open sesame", once: true });
  assert.doesNotMatch(sent[0].body, /hello|sesame|password/);
  const { text, proof, once } = JSON.parse(sent[0].body);
  const { kdf } = JSON.parse(Buffer.from(text.split(".")[0], "base64url").toString());
  const keys = await deriveKeys("open sesame", kdf);
  assert.deepEqual([await open(text, keys), proof, once], ["hello", keys.proof, true]);
});

test("what is sent again is the same to the byte, under the same key", async () => {
  const { save, sent } = saver(new Unreachable(), new Unreachable());
  const wanted = { ...WANTED, password: "p" };
  await assert.rejects(save(wanted), Unreachable);
  await assert.rejects(save({ ...wanted }), Unreachable);
  assert.deepEqual(await save({ ...wanted }), { ...KEPT, isSealed: true });
  assert.equal(new Set(sent.map((each) => JSON.stringify(each))).size, 1);
  assert.match(sent[0].key, UUID);
});

for (const change of [{ text: "x" }, { password: "p" }, { expiresIn: 60 }, { once: true }]) {
  test(`another ${Object.keys(change)} is another save`, async () => {
    const { save, sent } = saver(new Unreachable());
    await assert.rejects(save(WANTED), Unreachable);
    await save({ ...WANTED, ...change });
    assert.notEqual(sent[0].key, sent[1].key);
  });
}

test("after an answer that was used the same text is another save", async () => {
  const { save, markStored, sent } = saver(WRITTEN, new Invalid("", ""));
  await save(WANTED);
  await markStored();
  await assert.rejects(save(WANTED), Invalid);
  await save(WANTED);
  assert.equal(new Set(sent.map(({ key }) => key)).size, 3);
});

test("a code that expired before anybody saw it is not handed out", async () => {
  const { save, sent } = saver(new Unreachable(), { ...WRITTEN, secondsLeft: 0 }, WRITTEN);
  await assert.rejects(save(WANTED), Unreachable);
  assert.deepEqual(await save(WANTED), KEPT);
  assert.equal(sent[0].key, sent[1].key);
  assert.notEqual(sent[1].key, sent[2].key);
});

test("a service that only knows expired codes is not asked for ever", async () => {
  const expired = { ...WRITTEN, secondsLeft: 0 };
  const { save, sent } = saver(new Unreachable(), expired, expired);
  await assert.rejects(save(WANTED), Unreachable);
  assert.deepEqual(await save(WANTED), KEPT);
  assert.equal(sent.length, 3);
});

test("what was under way when the page was closed is gone on with, to the byte", async () => {
  for (const password of ["", "open sesame"]) {
    const outbox = makeMemoryItem();
    const first = saverWith(outbox, new Unreachable());
    await assert.rejects(first.save({ ...WANTED, password }), Unreachable);
    assert.doesNotMatch(JSON.stringify(await outbox.get()), /sesame/);
    const second = saverWith(outbox);
    assert.deepEqual(await second.resume(), { ...KEPT, isSealed: password !== "" });
    assert.deepEqual(second.sent, first.sent);
    assert.notEqual(await outbox.get(), null);
    await second.markStored();
    assert.equal(await outbox.get(), null);
    assert.equal(await second.resume(), null);
  }
});

test("an answer that was not used is asked for again", async () => {
  const outbox = makeMemoryItem();
  const first = saverWith(outbox);
  await first.save(WANTED);
  const second = saverWith(outbox);
  assert.deepEqual(await second.resume(), KEPT);
  assert.deepEqual(second.sent, first.sent);
});

test("what was settled late does not take the next one away", async () => {
  const outbox = makeMemoryItem();
  const { save, markStored } = saverWith(outbox, WRITTEN, new Unreachable());
  await save(WANTED);
  await assert.rejects(save({ ...WANTED, text: "next" }), Unreachable);
  await markStored();
  assert.equal((await outbox.get()).body.text, "next");
});

test("an open text that is saved again after the page was closed is sent once", async () => {
  const outbox = makeMemoryItem();
  const first = saverWith(outbox, new Unreachable());
  await assert.rejects(first.save(WANTED), Unreachable);
  const second = saverWith(outbox);
  await second.save(WANTED);
  assert.deepEqual(second.sent, first.sent);
});

test("a text for another place to send is ready to be resumed", async () => {
  const outbox = makeMemoryItem();
  await outbox.set(newWrite({ text: "picked", expiresIn: 600 }));
  const { resume, sent } = saverWith(outbox);
  assert.deepEqual(await resume(), KEPT);
  assert.deepEqual(JSON.parse(sent[0].body), { text: "picked", expiresIn: 600, once: false });
  assert.match(sent[0].key, UUID);
});

test("a password that the service is to seal with is never stored", async (context) => {
  const { subtle } = globalThis.crypto;
  Object.defineProperty(globalThis.crypto, "subtle", { value: undefined, configurable: true });
  context.after(() => Object.defineProperty(globalThis.crypto, "subtle", { value: subtle, configurable: true }));
  const outbox = makeMemoryItem();
  const { save, sent } = saverWith(outbox, new Unreachable());
  await assert.rejects(save({ ...WANTED, password: "open sesame" }), Unreachable);
  assert.match(sent[0].body, /sesame/);
  assert.equal(await outbox.get(), null);
});

test("what cannot be sealed is refused as the service would", async () => {
  const { save, sent } = saver();
  await assert.rejects(save({ ...WANTED, password: "a\0" }), { constructor: Invalid, field: "password" });
  await assert.rejects(save({ ...WANTED, text: "\ud800", password: "p" }), { constructor: Invalid, field: "text" });
  assert.deepEqual(sent, []);
});

test("the service's expiry time is used", async () => {
  const written = { code: "wUrp", ownerToken: "t" };
  const left = (answer) => fetchSecondsLeft({ status: async () => answer() }, written);
  const says = (state) => () => ({ state, secondsLeft: 60 });
  const raises = (error) => () => {
    throw error;
  };
  for (const [answer, seconds] of [[says("waiting"), 60], [says("loaded"), 60], [says("read"), 0], [says("expired"), 0]]) {
    assert.equal(await left(answer), seconds);
  }
  assert.equal(await left(raises(new NoText())), 0);
  await assert.rejects(left(raises(new Unreachable())), Unreachable);
});

test("UUIDs are of version 4 and never the same", () => {
  const made = Array.from({ length: 100 }, makeUuid);
  for (const each of made) assert.match(each, UUID);
  assert.equal(new Set(made).size, 100);
});

test("a fresh code lives as long as was asked for, whatever the clock of this computer says", async () => {
  const { save, sent } = saver({ ...WRITTEN, secondsLeft: 0 });
  assert.equal((await save(WANTED)).secondsLeft, WANTED.expiresIn);
  assert.equal(sent.length, 1);
});
