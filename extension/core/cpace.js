/**
 * CPACE-X25519-SHA512 (draft-irtf-cfrg-cpace) with the X25519 and SHA-512 of WebCrypto. Only the generator is
 * calculated here, with BigInt, which does not take constant time: see "What it is worth" in docs/live-transfer.md.
 */

/** @typedef {import("./bytes.js").Bytes} Bytes */

const PRIME = (1n << 255n) - 19n;
// The curve's coefficient: y^2 = x^3 + A x^2 + x.
const A = 486_662n;
const SHARE_BYTES = 32;
const HASH_BLOCK = 128;
// What a private key of 32 bytes begins with in PKCS #8 (RFC 8410), the only form of it that WebCrypto reads without
// the public key.
const PKCS8_HEAD = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const encoder = new TextEncoder();

/** A share of the wrong length or of low order. */
export class BadShareError extends Error {
  constructor() {
    super("share: must be 32 bytes and not of low order");
    this.name = new.target.name;
  }
}

/** @param {Uint8Array[]} parts @returns {Bytes} */
export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Join the parts, each after its length in LEB128; a string is taken as UTF-8. @param {(Uint8Array | string)[]} parts */
export function lvCat(...parts) {
  const bytes = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  return join(...bytes.flatMap((part) => [leb128(part.length), part]));
}

/**
 * The generator, as the draft's calculate_generator.
 * @param {Uint8Array | string} prs
 * @param {Uint8Array} ci
 * @param {Uint8Array} sid
 * @returns {Promise<Bytes>}
 */
export async function generator(prs, ci, sid) {
  const dsi = "CPace255";
  const padding = Math.max(0, HASH_BLOCK - 1 - lvCat(prs).length - lvCat(dsi).length);
  const hash = await sha512(lvCat(dsi, prs, new Uint8Array(padding), ci, sid));
  return toLittleEndian(elligator2(fromLittleEndian(hash.subarray(0, SHARE_BYTES)) & ((1n << 255n) - 1n)));
}

/**
 * A scalar that is used once. `bytes`: 32 random ones.
 * @param {Bytes} bytes
 */
export function scalarOf(bytes) {
  return globalThis.crypto.subtle.importKey("pkcs8", join(PKCS8_HEAD, bytes), "X25519", false, ["deriveBits"]);
}

/**
 * Multiply a point by a scalar. Rejects with `BadShareError`.
 * @param {CryptoKey} scalar
 * @param {Bytes} point
 * @returns {Promise<Bytes>}
 */
export async function multiply(scalar, point) {
  if (point.length !== SHARE_BYTES) throw new BadShareError();
  const product = await deriveProduct(scalar, point);
  if (product.every((byte) => byte === 0)) throw new BadShareError();
  return product;
}

/** @param {CryptoKey} scalar @param {Bytes} point */
async function deriveProduct(scalar, point) {
  const { subtle } = globalThis.crypto;
  try {
    const key = await subtle.importKey("raw", point, "X25519", false, []);
    return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: key }, scalar, 256));
  } catch {
    // WebCrypto refuses a result of zero.
    throw new BadShareError();
  }
}

/**
 * ISK of the initiator-responder setting, 64 bytes. A message is `lvCat(share, AD)` of one side.
 * @param {Uint8Array} sid
 * @param {Uint8Array} product
 * @param {Uint8Array} messageA
 * @param {Uint8Array} messageB
 */
export function sessionKey(sid, product, messageA, messageB) {
  return sha512(join(lvCat("CPace255_ISK", sid, product), messageA, messageB));
}

/** @param {Bytes} data @returns {Promise<Bytes>} */
export async function sha512(data) {
  return new Uint8Array(await globalThis.crypto.subtle.digest("SHA-512", data));
}

/** @param {bigint} number */
function elligator2(number) {
  // 2 is not a square, so the denominator is never 0.
  const first = modulo(-A * power(1n + 2n * number * number, PRIME - 2n));
  const isOffCurve = power(first ** 3n + A * first ** 2n + first, (PRIME - 1n) / 2n) === PRIME - 1n;
  return isOffCurve ? modulo(-first - A) : first;
}

/** @param {bigint} base @param {bigint} exponent */
function power(base, exponent) {
  let result = 1n;
  let square = modulo(base);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

/** @param {bigint} number */
const modulo = (number) => ((number % PRIME) + PRIME) % PRIME;

/** @param {Uint8Array} bytes */
const fromLittleEndian = (bytes) => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

/** @param {bigint} number @returns {Bytes} */
const toLittleEndian = (number) =>
  Uint8Array.from({ length: SHARE_BYTES }, (_, at) => Number((number >> BigInt(8 * at)) & 255n));

/** @param {number} number */
function leb128(number) {
  const octets = [];
  let left = number;
  for (; left > 127; left >>= 7) octets.push((left & 127) | 128);
  return Uint8Array.of(...octets, left);
}
