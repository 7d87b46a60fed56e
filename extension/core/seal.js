/**
 * Sealed texts: encrypted under a password before they leave this computer.
 * The format, its formulas and its test vectors are in docs/sealed-text.md.
 */

import { concat, fromBase64url, randomBytes, toBase64url } from "./bytes.js";
import { Invalid } from "./errors.js";

export const KDF_NAME = "PBKDF2-SHA256";
/** What a text is sealed with. */
export const ITERATIONS = 600_000;

// Fewer make guessing cheap, more make a client hang.
const MIN_ITERATIONS = 600_000;
const MAX_ITERATIONS = 10_000_000;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_HEADER_CHARACTERS = 512;
const MAX_PASSWORD_CHARACTERS = 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
const MEMBERS = /** @type {const} */ (["name", "iterations", "salt"]);
// The first word of a message about what a user has typed.
const INPUT_FIELDS = ["text", "password"];
const NO_PARAMETERS = { name: "", iterations: 0, salt: "" };

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * The public parameters of a derivation, as the one 404 and a header give them.
 * @typedef {{name: string, iterations: number, salt: string}} Parameters
 */
/**
 * What a password yields under its parameters. The proof is shown to the service; the key stays here.
 * @typedef {{key: CryptoKey, proof: string, parameters: Parameters}} Keys
 */

/** Not a sealed text as specified, or the key does not open it; the message names the part and the rule. */
export class BadSealError extends Error {
  /** @param {string} rule */
  constructor(rule) {
    super(rule);
    this.name = new.target.name;
  }
}

/** Parameters that no client may derive with: the proof would give the password away, or take for ever. */
export class WeakSealError extends BadSealError {}

/** Whether texts can be sealed here: browsers offer WebCrypto only over HTTPS, on localhost and in extensions. */
export function canSeal() {
  return globalThis.crypto?.subtle !== undefined;
}

/**
 * Seal a text. `random` gives that many random bytes.
 * @param {string} text
 * @param {string} password
 * @param {{iterations?: number, random?: (length: number) => Bytes, subtle?: SubtleCrypto}} [options]
 * @returns {Promise<{jwe: string, proof: string}>}
 */
export async function seal(text, password, options = {}) {
  const { iterations = ITERATIONS, random = randomBytes, subtle = globalThis.crypto.subtle } = options;
  const isInvalid = text.includes("\0") || LONE_SURROGATE.test(text);
  check(text !== "" && !isInvalid, "text: must be 1 character or more, without NUL and lone surrogates");
  const parameters = { name: KDF_NAME, iterations, salt: toBase64url(random(SALT_BYTES)) };
  const { key, proof } = await deriveKeys(password, parameters, { subtle });
  const nonce = random(NONCE_BYTES);
  const header = toBase64url(encoder.encode(JSON.stringify({ alg: "dir", enc: "A256GCM", kdf: parameters })));
  const sealed = new Uint8Array(await subtle.encrypt(aesGcm(nonce, header), key, encoder.encode(text)));
  const parts = [nonce, sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
  return { jwe: [header, "", ...parts.map(toBase64url)].join("."), proof };
}

/**
 * Derive the keys of a password. The parameters come from a server that has
 * proved nothing yet, so weak ones are refused before anything is derived.
 * @param {string} password
 * @param {Parameters | undefined} parameters
 * @param {{subtle?: SubtleCrypto}} [options]
 * @returns {Promise<Keys>}
 */
export async function deriveKeys(password, parameters, { subtle = globalThis.crypto.subtle } = {}) {
  const { name, iterations, salt } = checkParameters(parameters);
  checkPassword(password);
  const secret = await importSecret(subtle, encoder.encode(password.normalize("NFC")), "PBKDF2");
  const slow = { name: "PBKDF2", hash: "SHA-256", salt: fromBase64url(salt), iterations };
  const master = await importSecret(subtle, await subtle.deriveBits(slow, secret, 256), "HKDF");
  const [key, proof] = await Promise.all([
    subtle.deriveKey(hkdf("saver/v1/key"), master, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    subtle.deriveBits(hkdf("saver/v1/proof"), master, 256),
  ]);
  return { key, proof: toBase64url(new Uint8Array(proof)), parameters: { name, iterations, salt } };
}

/**
 * Open a sealed text with the keys that were derived for it.
 * @param {string} jwe
 * @param {Keys} keys
 * @param {{subtle?: SubtleCrypto}} [options]
 * @returns {Promise<string>}
 */
export async function open(jwe, keys, { subtle = globalThis.crypto.subtle } = {}) {
  const { header, kdf, nonce, sealed } = splitJwe(jwe);
  const isSame = MEMBERS.every((name) => kdf[name] === keys.parameters[name]);
  check(isSame, "kdf: must be what the key was derived with");
  return decodeText(await decrypt(subtle, aesGcm(nonce, header), keys.key, sealed));
}

/** As `seal`, but what a user typed wrongly is `Invalid`, as from the service. @param {string} text @param {string} password */
export const sealInput = (text, password) => asInvalid(seal(text, password));

/** `deriveKeys` with such errors. @param {string} password @param {Parameters | undefined} parameters */
export const deriveKeysFromInput = (password, parameters) => asInvalid(deriveKeys(password, parameters));

/**
 * Refuse parameters that no client may derive with. Members that are not known are left out.
 * @param {Parameters | undefined} parameters
 * @returns {Parameters}
 */
export function checkParameters(parameters) {
  const { name, iterations, salt } = parameters ?? NO_PARAMETERS;
  const max = MAX_ITERATIONS;
  const isAllowed = Number.isInteger(iterations) && MIN_ITERATIONS <= iterations && iterations <= max;
  check(name === KDF_NAME, `kdf: name must be ${KDF_NAME}`, WeakSealError);
  check(isAllowed, `kdf: iterations must be a whole number from ${MIN_ITERATIONS} to ${max}`, WeakSealError);
  bytes("salt", salt, SALT_BYTES, WeakSealError);
  return { name, iterations, salt };
}

/** @template T @param {Promise<T>} work @returns {Promise<T>} */
async function asInvalid(work) {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BadSealError)) throw error;
    const [field, rule] = error.message.split(": ");
    throw INPUT_FIELDS.includes(field) ? new Invalid(field, rule) : error;
  }
}

/** @param {string} password */
function checkPassword(password) {
  // PBKDF2 fills a short password up with NUL, so with and without it would be the same.
  const isInvalid = password.includes("\0") || LONE_SURROGATE.test(password);
  const rule = `password: must be 1 to ${MAX_PASSWORD_CHARACTERS} characters, without NUL and lone surrogates`;
  check(!isInvalid && password !== "" && [...password].length <= MAX_PASSWORD_CHARACTERS, rule);
}

/** @param {string} jwe */
function splitJwe(jwe) {
  const parts = jwe.split(".", 6);
  check(parts.length === 5, "must have five parts");
  const [header, encryptedKey, nonce, body, tag] = parts;
  const kdf = kdfParameters(header);
  check(encryptedKey === "", "encrypted key: must be empty");
  const start = bytes("nonce", nonce, NONCE_BYTES);
  return { header, kdf, nonce: start, sealed: concat(bytes("ciphertext", body), bytes("tag", tag, TAG_BYTES)) };
}

/** @param {string} header @returns {Parameters} */
function kdfParameters(header) {
  check(header.length <= MAX_HEADER_CHARACTERS, `header: must be at most ${MAX_HEADER_CHARACTERS} characters`);
  const { alg, enc, kdf } = members("header", parseHeader(bytes("header", header)), "alg, enc, kdf");
  check(alg === "dir", "header: alg must be dir");
  check(enc === "A256GCM", "header: enc must be A256GCM");
  return checkParameters(members("kdf", kdf, "name, iterations, salt"));
}

/** @param {Bytes} data */
function parseHeader(data) {
  const rule = "header: must be compact JSON with each member once";
  try {
    const text = decodeText(data);
    const value = JSON.parse(text);
    // JSON parsers differ in what they make of a member that is there twice.
    if (JSON.stringify(value) === text) return value;
  } catch {
    // it is no JSON at all
  }
  throw new BadSealError(rule);
}

/** @param {string} part @param {any} value @param {string} names */
function members(part, value, names) {
  const found = value !== null && typeof value === "object" ? Object.keys(value).sort().join() : "";
  check(found === names.split(", ").sort().join(), `${part}: must have exactly the members ${names}`);
  return value;
}

/** @param {string} part @param {any} given @param {number} [length] @returns {Bytes} */
function bytes(part, given, length, Kind = BadSealError) {
  const data = typeof given === "string" ? fromBase64url(given) : null;
  const rule = length ? `${length} bytes` : "1 byte or more";
  const fits = data !== null && (length ? data.length === length : data.length > 0);
  check(fits, `${part}: must be ${rule} in base64url without padding`, Kind);
  return data;
}

/** @param {boolean} holds @param {string} rule @returns {asserts holds} */
function check(holds, rule, Kind = BadSealError) {
  if (!holds) throw new Kind(rule);
}

/** @param {SubtleCrypto} subtle @param {BufferSource} secret @param {"PBKDF2" | "HKDF"} use */
function importSecret(subtle, secret, use) {
  return subtle.importKey("raw", secret, use, false, ["deriveBits", "deriveKey"]);
}

/** @param {string} info */
function hkdf(info) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
}

/** @param {Bytes} nonce @param {string} header as it was received: not a byte of it can be changed */
function aesGcm(nonce, header) {
  return { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(header), tagLength: 8 * TAG_BYTES };
}

/** @param {SubtleCrypto} subtle @param {AesGcmParams} algorithm @param {CryptoKey} key @param {Bytes} sealed */
async function decrypt(subtle, algorithm, key, sealed) {
  try {
    return await subtle.decrypt(algorithm, key, sealed);
  } catch {
    throw new BadSealError("does not open with this key");
  }
}

/** @param {BufferSource} data */
function decodeText(data) {
  try {
    // A BOM is part of the text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new BadSealError("text: must be UTF-8");
  }
}
