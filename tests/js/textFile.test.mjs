import assert from "node:assert/strict";
import { test } from "node:test";

import { UnreadableFile } from "../../extension/core/errors.js";
import { decodeTextFile } from "../../extension/core/textFile.js";

const UTF_8_BOM = [0xef, 0xbb, 0xbf];
const TEXT = "Größe 한글 🙂\r\n\tend\n";

/** The bytes of a text in UTF-16 with a BOM. */
function utf16(text, { littleEndian }) {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return new Uint8Array(littleEndian ? bytes : bytes.swap16());
}

const utf8 = (text) => new TextEncoder().encode(text);

const FILES = {
  "UTF-8": utf8(TEXT),
  "UTF-8 with BOM": Uint8Array.of(...UTF_8_BOM, ...utf8(TEXT)),
  "UTF-16LE with BOM": utf16(TEXT, { littleEndian: true }),
  "UTF-16BE with BOM": utf16(TEXT, { littleEndian: false }),
};

for (const [name, bytes] of Object.entries(FILES)) {
  test(`${name} is read to the letter, line ends too`, () => assert.equal(decodeTextFile(bytes), TEXT));
}

test("only the BOM that tells the encoding goes", () => {
  assert.equal(decodeTextFile(Uint8Array.of(...UTF_8_BOM, ...UTF_8_BOM, 0x61)), "\ufeffa");
  assert.equal(decodeTextFile(utf16("\ufeffa", { littleEndian: true })), "\ufeffa");
  assert.equal(decodeTextFile(utf8("a\ufeff")), "a\ufeff");
});

test("an empty file is an empty text", () => {
  for (const bytes of [[], UTF_8_BOM, [0xff, 0xfe], [0xfe, 0xff]]) assert.equal(decodeTextFile(Uint8Array.from(bytes)), "");
});

const UNREADABLE = {
  "a NUL": utf8("a\0b"),
  "an invalid byte": Uint8Array.of(0x61, 0xff),
  "half of a character at the end": Uint8Array.of(0xea, 0xb0),
  "a surrogate in UTF-8": Uint8Array.of(0xed, 0xa0, 0x80),
  "Latin-1": Uint8Array.from(Buffer.from("Größe", "latin1")),
  "UTF-16 without BOM": Uint8Array.from(Buffer.from("hello", "utf16le")),
  "UTF-16 with half of a character": Uint8Array.of(0xff, 0xfe, 0x61, 0x00, 0x62),
  "UTF-16 with a lone surrogate": Uint8Array.of(0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00),
  "UTF-16 with a NUL": Uint8Array.of(0xfe, 0xff, 0x00, 0x00),
  "UTF-32LE": Uint8Array.of(0xff, 0xfe, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00),
  "PNG": Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
};

for (const [name, bytes] of Object.entries(UNREADABLE)) {
  test(`${name} is no text`, () => assert.throws(() => decodeTextFile(bytes), UnreadableFile));
}
