/** The text of a live transfer: a JWE as in `seal.js`, under the key of the exchange. */

import { randomBytes, toBase64url, fromBase64url } from "./bytes.js";
import { join } from "./cpace.js";
import { BadSealError } from "./seal.js";

// {"alg":"dir","enc":"A256GCM","kdf":{"name":"CPACE-X25519-SHA512"}}
const HEADER = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2RmIjp7Im5hbWUiOiJDUEFDRS1YMjU1MTktU0hBNTEyIn19";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const encoder = new TextEncoder();

/** @typedef {import("./bytes.js").Bytes} Bytes */

/** @param {string} text @param {Bytes} key 32 bytes @param {(length: number) => Bytes} [random] */
export async function sealLive(text, key, random = randomBytes) {
  const nonce = random(NONCE_BYTES);
  const imported = await importKey(key);
  const sealed = await globalThis.crypto.subtle.encrypt(aesGcm(nonce), imported, encoder.encode(text));
  const data = new Uint8Array(sealed);
  const parts = [nonce, data.subarray(0, -TAG_BYTES), data.subarray(-TAG_BYTES)];
  return [HEADER, "", ...parts.map(toBase64url)].join(".");
}

/** Rejects with `BadSealError`, also for any other header. @param {string} jwe @param {Bytes} key 32 bytes */
export async function openLive(jwe, key) {
  const [header, encryptedKey, ...parts] = jwe.split(".", 6);
  const [nonce, body, tag] = parts.map(fromBase64url);
  const isWhole = parts.length === 3 && nonce?.length === NONCE_BYTES && body && tag?.length === TAG_BYTES;
  if (header !== HEADER || encryptedKey !== "" || !isWhole) throw new BadSealError("is no text of a live transfer");
  try {
    const opened = await globalThis.crypto.subtle.decrypt(aesGcm(nonce), await importKey(key), join(body, tag));
    // A BOM is part of the text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened);
  } catch {
    throw new BadSealError("does not open with this key");
  }
}

/** @param {Bytes} key */
function importKey(key) {
  return globalThis.crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** @param {Bytes} nonce */
function aesGcm(nonce) {
  return { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(HEADER), tagLength: 8 * TAG_BYTES };
}
