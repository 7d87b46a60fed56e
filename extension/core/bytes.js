/** Bytes: random ones, joined, and as base64url without padding (RFC 4648, section 5). */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {Uint8Array} data */
export function toBase64url(data) {
  let binary = "";
  // In pieces: a function takes only so many arguments.
  for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text @returns {Bytes | null} null for anything but the one form that `toBase64url` gives */
export function fromBase64url(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const data = new Uint8Array(binary.length);
  for (let at = 0; at < data.length; at += 1) data[at] = binary.charCodeAt(at);
  return toBase64url(data) === text ? data : null;
}

/** @param {Bytes} head @param {Bytes} tail */
export function concat(head, tail) {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

/** @param {number} length */
export function randomBytes(length) {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}
