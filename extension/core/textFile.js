/** The text of a file that somebody drops or chooses. */

import { UnreadableFile } from "./errors.js";

const BOM = { UTF_16LE: [0xff, 0xfe], UTF_16BE: [0xfe, 0xff] };

/**
 * Decode a file by its BOM, or as UTF-8. Throws `UnreadableFile` where it is no text.
 * The BOM is left out: it names the encoding of this file and is no part of the text, which arrives in another one. All
 * else comes as it is, a second BOM and the line ends too. A BOM in a text that is pasted or sent otherwise stays.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function decodeTextFile(bytes) {
  const text = decode(bytes);
  // Texts have no NUL; other files nearly always do, UTF-16 without a BOM among them.
  if (text.includes("\0")) throw new UnreadableFile();
  return text;
}

/** @param {Uint8Array} bytes */
function decode(bytes) {
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableFile();
  }
}

/** @param {Uint8Array} bytes */
function encodingOf(bytes) {
  /** @param {number[]} mark */
  const startsWith = (mark) => mark.every((byte, place) => bytes[place] === byte);
  if (startsWith(BOM.UTF_16LE)) return "utf-16le";
  return startsWith(BOM.UTF_16BE) ? "utf-16be" : "utf-8";
}
