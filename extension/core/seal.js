/**
 * Sealed texts: encrypted under a password before they leave this computer.
 * The format, its formulas and its test vectors are in docs/sealed-text.md.
 */

export const KDF_NAME = "PBKDF2-SHA256";
/** What a text is sealed with. */
export const ITERATIONS = 600_000;

// Fewer make guessing cheap, more make a client hang.
const LEAST_ITERATIONS = 600_000;
const MOST_ITERATIONS = 10_000_000;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MOST_HEADER_CHARACTERS = 512;
const MOST_PASSWORD_CHARACTERS = 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
const MEMBERS = /** @type {const} */ (["name", "iterations", "salt"]);
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
  const odd = text.includes("\0") || LONE_SURROGATE.test(text);
  must(text !== "" && !odd, "text: must be 1 character or more, without NUL and lone surrogates");
  const parameters = { name: KDF_NAME, iterations, salt: encode(random(SALT_BYTES)) };
  const { key, proof } = await deriveKeys(password, parameters, { subtle });
  const nonce = random(NONCE_BYTES);
  const header = encode(encoder.encode(JSON.stringify({ alg: "dir", enc: "A256GCM", kdf: parameters })));
  const sealed = new Uint8Array(await subtle.encrypt(cipher(nonce, header), key, encoder.encode(text)));
  const parts = [nonce, sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
  return { jwe: [header, "", ...parts.map(encode)].join("."), proof };
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
  const secret = await imported(subtle, encoder.encode(password.normalize("NFC")), "PBKDF2");
  const slow = { name: "PBKDF2", hash: "SHA-256", salt: decode(salt), iterations };
  const master = await imported(subtle, await subtle.deriveBits(slow, secret, 256), "HKDF");
  const [key, proof] = await Promise.all([
    subtle.deriveKey(branch("saver/v1/key"), master, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    subtle.deriveBits(branch("saver/v1/proof"), master, 256),
  ]);
  return { key, proof: encode(new Uint8Array(proof)), parameters: { name, iterations, salt } };
}

/**
 * Open a sealed text with the keys that were derived for it.
 * @param {string} jwe
 * @param {Keys} keys
 * @param {{subtle?: SubtleCrypto}} [options]
 * @returns {Promise<string>}
 */
export async function open(jwe, keys, { subtle = globalThis.crypto.subtle } = {}) {
  const { header, kdf, nonce, sealed } = partsOf(jwe);
  const same = MEMBERS.every((name) => kdf[name] === keys.parameters[name]);
  must(same, "kdf: must be what the key was derived with");
  return textOf(await decrypted(subtle, cipher(nonce, header), keys.key, sealed));
}

/**
 * Refuse parameters that no client may derive with. Members that are not known are left out.
 * @param {Parameters | undefined} parameters
 * @returns {Parameters}
 */
export function checkParameters(parameters) {
  const { name, iterations, salt } = parameters ?? NO_PARAMETERS;
  const most = MOST_ITERATIONS;
  const enough = Number.isInteger(iterations) && LEAST_ITERATIONS <= iterations && iterations <= most;
  must(name === KDF_NAME, `kdf: name must be ${KDF_NAME}`, WeakSealError);
  must(enough, `kdf: iterations must be a whole number from ${LEAST_ITERATIONS} to ${most}`, WeakSealError);
  bytes("salt", salt, SALT_BYTES, WeakSealError);
  return { name, iterations, salt };
}

/** @param {string} password */
function checkPassword(password) {
  // PBKDF2 fills a short password up with NUL, so with and without it would be the same.
  const odd = password.includes("\0") || LONE_SURROGATE.test(password);
  const rule = `password: must be 1 to ${MOST_PASSWORD_CHARACTERS} characters, without NUL and lone surrogates`;
  must(!odd && password !== "" && [...password].length <= MOST_PASSWORD_CHARACTERS, rule);
}

/** @param {string} jwe */
function partsOf(jwe) {
  const parts = jwe.split(".", 6);
  must(parts.length === 5, "must have five parts");
  const [header, encryptedKey, nonce, body, tag] = parts;
  const kdf = kdfOf(header);
  must(encryptedKey === "", "encrypted key: must be empty");
  const start = bytes("nonce", nonce, NONCE_BYTES);
  return { header, kdf, nonce: start, sealed: joined(bytes("ciphertext", body), bytes("tag", tag, TAG_BYTES)) };
}

/** @param {string} header @returns {Parameters} */
function kdfOf(header) {
  const most = MOST_HEADER_CHARACTERS;
  must(header.length <= most, `header: must be at most ${most} characters`);
  const { alg, enc, kdf } = members("header", parsed(bytes("header", header)), "alg, enc, kdf");
  must(alg === "dir", "header: alg must be dir");
  must(enc === "A256GCM", "header: enc must be A256GCM");
  return checkParameters(members("kdf", kdf, "name, iterations, salt"));
}

/** @param {Bytes} data */
function parsed(data) {
  const rule = "header: must be compact JSON with each member once";
  try {
    const text = textOf(data);
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
  must(found === names.split(", ").sort().join(), `${part}: must have exactly the members ${names}`);
  return value;
}

/** @param {string} part @param {any} given @param {number} [length] @returns {Bytes} */
function bytes(part, given, length, Kind = BadSealError) {
  const data = typeof given === "string" ? decode(given) : null;
  const rule = length ? `${length} bytes` : "1 byte or more";
  const fits = data !== null && (length ? data.length === length : data.length > 0);
  must(fits, `${part}: must be ${rule} in base64url without padding`, Kind);
  return data;
}

/** @param {boolean} holds @param {string} rule @returns {asserts holds} */
function must(holds, rule, Kind = BadSealError) {
  if (!holds) throw new Kind(rule);
}

/** @param {SubtleCrypto} subtle @param {BufferSource} secret @param {"PBKDF2" | "HKDF"} use */
function imported(subtle, secret, use) {
  return subtle.importKey("raw", secret, use, false, ["deriveBits", "deriveKey"]);
}

/** @param {string} info */
function branch(info) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
}

/** @param {Bytes} nonce @param {string} header as it was received: not a byte of it can be changed */
function cipher(nonce, header) {
  return { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(header), tagLength: 8 * TAG_BYTES };
}

/** @param {SubtleCrypto} subtle @param {AesGcmParams} how @param {CryptoKey} key @param {Bytes} sealed */
async function decrypted(subtle, how, key, sealed) {
  try {
    return await subtle.decrypt(how, key, sealed);
  } catch {
    throw new BadSealError("does not open with this key");
  }
}

/** @param {BufferSource} data */
function textOf(data) {
  try {
    // A BOM is part of the text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new BadSealError("text: must be UTF-8");
  }
}

/** @param {Bytes} head @param {Bytes} tail */
function joined(head, tail) {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** @param {number} length */
function randomBytes(length) {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** @param {Uint8Array} data */
function encode(data) {
  let binary = "";
  // In pieces: a function takes only so many arguments.
  for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text @returns {Bytes | null} null where it is not in the one form that `encode` gives */
function decode(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const data = new Uint8Array(binary.length);
  for (let at = 0; at < data.length; at += 1) data[at] = binary.charCodeAt(at);
  return encode(data) === text ? data : null;
}
