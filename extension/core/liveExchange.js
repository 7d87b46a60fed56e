/**
 * The key exchange of a live transfer: from the letters to the keys. docs/live-transfer.md specifies it.
 * Shares, sessions and tags are bytes. All that is random is drawn by the caller, and is used once.
 */

import { toBase64url } from "./bytes.js";
import { generator, lvCat, multiply, scalarOf, join, sessionKey, sha512 } from "./cpace.js";

export const SESSION_BYTES = 16;
export const SCALAR_BYTES = 32;
export const SHARE_BYTES = 32;
export const TAG_BYTES = 64;

const encoder = new TextEncoder();

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {"sender" | "receiver"} Role */
/**
 * What both sides know before the exchange. `service`: the address as `serviceAddress` gives it; `makerRole`: that of
 * the side that shows the live code.
 * @typedef {{letters: string, service: string, number: number, makerRole: Role}} Secret
 */
/**
 * What an exchange yields. `key`: 32 bytes that encrypt the text; `proof`: in base64url, shown to the service; `tag`: to
 * be sent; `expected`: the tag that must come. It is as secret as the text.
 * @typedef {{key: Bytes, proof: string, tag: Bytes, expected: Bytes}} Agreement
 */

/** Whether this browser has X25519; older ones do not. */
export async function canTransferLive() {
  try {
    await globalThis.crypto.subtle.importKey("raw", new Uint8Array(SHARE_BYTES).fill(9), "X25519", false, []);
    return true;
  } catch {
    return false;
  }
}

/** The other side's role. @param {Role} role @returns {Role} */
export const otherRole = (role) => (role === "sender" ? "receiver" : "sender");

/** The address of a service as both sides write it. @param {string | URL} baseUrl */
export function serviceAddress(baseUrl) {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname}`.replace(/\/+$/, "");
}

/**
 * The maker's offer. `agree` takes the share of the joiner, once; it rejects with `BadShareError`.
 * @param {Secret} secret
 * @param {Bytes} session
 * @param {Bytes} scalar
 * @returns {Promise<{share: Bytes, agree: (share: Bytes) => Promise<Agreement>}>}
 */
export async function makeOffer(secret, session, scalar) {
  const key = await scalarOf(scalar);
  const share = await multiply(key, await generatorOf(secret, session));
  const agree = async (/** @type {Bytes} */ other) => {
    const { tagA, tagB, ...keys } = await derive(session, await multiply(key, other), share, other);
    return { ...keys, tag: tagA, expected: tagB };
  };
  return { share, agree };
}

/**
 * The joiner's answer to an offer. Rejects with `BadShareError`.
 * @param {Secret} secret
 * @param {{session: Bytes, share: Bytes}} offer
 * @param {Bytes} scalar
 * @returns {Promise<{share: Bytes, agreement: Agreement}>}
 */
export async function answerOffer(secret, { session, share }, scalar) {
  const key = await scalarOf(scalar);
  const own = await multiply(key, await generatorOf(secret, session));
  const { tagA, tagB, ...keys } = await derive(session, await multiply(key, share), share, own);
  return { share: own, agreement: { ...keys, tag: tagB, expected: tagA } };
}

/** Whether a tag is the one that must come; takes the same time wherever they differ. @param {Bytes} tag @param {Bytes} expected */
export function isSameTag(tag, expected) {
  if (tag.length !== expected.length) return false;
  let difference = 0;
  for (let at = 0; at < expected.length; at += 1) difference |= tag[at] ^ expected[at];
  return difference === 0;
}

/** @param {Secret} secret @param {Bytes} session */
function generatorOf({ letters, service, number, makerRole }, session) {
  const roles = `${makerRole} ${otherRole(makerRole)}`;
  return generator(letters, lvCat("saver/live/1", service, String(number), roles), session);
}

/** @param {Bytes} session @param {Bytes} product @param {Bytes} shareA @param {Bytes} shareB */
async function derive(session, product, shareA, shareB) {
  const [messageA, messageB] = [lvCat(shareA, ""), lvCat(shareB, "")];
  const isk = await sessionKey(session, product, messageA, messageB);
  const macKey = await sha512(join(encoder.encode("CPaceMac"), session, isk));
  const [tagA, tagB, key, proof] = await Promise.all([
    hmac(macKey, messageA),
    hmac(macKey, messageB),
    hkdf(isk, "saver/live/1/key"),
    hkdf(isk, "saver/live/1/proof"),
  ]);
  return { tagA, tagB, key, proof: toBase64url(proof) };
}

/** @param {Bytes} secret @param {Bytes} data @returns {Promise<Bytes>} */
async function hmac(secret, data) {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-512" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", key, data));
}

/** @param {Bytes} secret @param {string} info @returns {Promise<Bytes>} */
async function hkdf(secret, info) {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
  return new Uint8Array(await subtle.deriveBits(how, key, 256));
}
