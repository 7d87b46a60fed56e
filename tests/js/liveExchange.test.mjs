/** The key exchange of a live transfer against the test vectors: those of the draft and those published here. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as cpace from "../../extension/core/cpace.js";
import * as exchange from "../../extension/core/liveExchange.js";

const read = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
const { exchanges, refused } = read("live-transfer");
const draft = read("cpace-x25519");
const [first] = exchanges;
const bytes = (given) => new Uint8Array(Buffer.from(given, "base64url"));
const hex = (given) => new Uint8Array(Buffer.from(given, "hex"));
const { PRS, CI, sid, g, ya, yb, Ya, Yb, K, ADa, ADb, ISK_IR } = Object.fromEntries(
  Object.entries(draft.G_25519).map(([name, value]) => [name, hex(value)]),
);

const secretOf = ({ letters, service, number, maker_role: makerRole }) => ({ letters, service, number, makerRole });

/** A maker by one vector and a joiner by another, as far as their tags. */
async function both(vector, joiner) {
  const offer = await exchange.makeOffer(secretOf(vector), bytes(vector.session), bytes(vector.scalar_a));
  const given = { session: bytes(joiner.session), share: offer.share };
  const answer = await exchange.answerOffer(secretOf(joiner), given, bytes(joiner.scalar_b));
  return { offer, answer, agreement: await offer.agree(answer.share) };
}

test("CPace makes the values of the draft", async () => {
  const [a, b] = [await cpace.scalarOf(ya), await cpace.scalarOf(yb)];
  assert.deepEqual(await cpace.generator(PRS, CI, sid), g);
  assert.deepEqual(await cpace.multiply(a, g), Ya);
  assert.deepEqual(await cpace.multiply(b, g), Yb);
  assert.deepEqual(await cpace.multiply(a, Yb), K);
  assert.deepEqual(await cpace.multiply(b, Ya), K);
  assert.deepEqual(await cpace.sessionKey(sid, K, cpace.lvCat(Ya, ADa), cpace.lvCat(Yb, ADb)), ISK_IR);
});

test("a length takes as many octets as it needs", () => {
  for (const [length, head] of [[0, "00"], [127, "7f"], [128, "8001"], [300, "ac02"], [16_384, "808001"]]) {
    assert.deepEqual(cpace.lvCat(new Uint8Array(length)), cpace.join(hex(head), new Uint8Array(length)));
  }
});

test("the points that the draft says must be refused are refused", async () => {
  const scalar = await cpace.scalarOf(ya);
  assert.equal(draft.must_be_refused.length, 7);
  for (const name of draft.must_be_refused) {
    await assert.rejects(cpace.multiply(scalar, hex(draft.X25519_points[name])), cpace.BadShareError);
  }
});

test("a result of zero is refused also where WebCrypto gives one", async (t) => {
  const scalar = await cpace.scalarOf(ya);
  t.mock.method(crypto.subtle, "deriveBits", async () => new ArrayBuffer(32));
  await assert.rejects(cpace.multiply(scalar, g), cpace.BadShareError);
});

for (const vector of exchanges) {
  test(`${vector.name}: both sides agree to the byte`, async () => {
    const { offer, answer, agreement } = await both(vector, vector);
    assert.deepEqual(offer.share, bytes(vector.share_a));
    assert.deepEqual(answer.share, bytes(vector.share_b));
    for (const [one, other] of [[agreement, answer.agreement], [answer.agreement, agreement]]) {
      assert.ok(exchange.isSameTag(one.tag, other.expected));
      assert.deepEqual(one.key, bytes(vector.key));
      assert.equal(one.proof, vector.proof);
    }
    assert.deepEqual(agreement.tag, bytes(vector.tag_a));
    assert.deepEqual(answer.agreement.tag, bytes(vector.tag_b));
  });
}

for (const { name, ...changed } of refused.joiners) {
  test(`${name} never agrees`, async () => {
    const { answer, agreement } = await both(first, { ...first, ...changed });
    assert.ok(!exchange.isSameTag(answer.agreement.tag, agreement.expected));
    assert.ok(!exchange.isSameTag(agreement.tag, answer.agreement.expected));
    assert.notDeepEqual(agreement.key, answer.agreement.key);
    assert.notEqual(agreement.proof, answer.agreement.proof);
  });
}

for (const { name, share } of refused.shares) {
  test(`a share is refused by both sides: ${name}`, async () => {
    const { offer } = await both(first, first);
    await assert.rejects(offer.agree(bytes(share)), cpace.BadShareError);
    const given = { session: bytes(first.session), share: bytes(share) };
    await assert.rejects(exchange.answerOffer(secretOf(first), given, bytes(first.scalar_b)), cpace.BadShareError);
  });
}

test("a tag with any byte changed, or of another length, is refused", async () => {
  const { answer, agreement } = await both(first, first);
  const { tag } = answer.agreement;
  const changed = [...tag].map((byte, at) => tag.with(at, byte ^ 1));
  for (const wrong of [...changed, new Uint8Array(), tag.subarray(1), cpace.join(tag, new Uint8Array(1)), agreement.tag]) {
    assert.ok(!exchange.isSameTag(wrong, agreement.expected));
  }
});

test("a service has one address", () => {
  for (const given of ["https://Example.org:443/saver/", "https://example.org/saver", new URL("https://example.org/saver/")]) {
    assert.equal(exchange.serviceAddress(given), "https://example.org/saver");
  }
  assert.equal(exchange.serviceAddress("http://localhost:5000/"), "http://localhost:5000");
});

test("a browser without X25519 is found out", async (t) => {
  assert.equal(await exchange.canTransferLive(), true);
  t.mock.method(crypto.subtle, "importKey", async () => {
    throw new DOMException("", "NotSupportedError");
  });
  assert.equal(await exchange.canTransferLive(), false);
});
