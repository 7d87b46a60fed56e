"""Make the test vectors of sealed texts: ``python tests/vectors/make.py > tests/vectors/sealed-text.json``.

A second implementation of docs/sealed-text.md, to be read next to it: hashlib
and hmac derive, and nothing of saver is used. What is random elsewhere comes
from hashes of the vectors' names here, so the file is the same every time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ITERATIONS = 600_000
PASSWORD = "correct horse battery staple"
OPENS = "does not open with this key"
BASE64URL = "in base64url without padding"
COMPACT = "header: must be compact JSON with each member once"
MEMBERS = "header: must have exactly the members alg, enc, kdf"
KDF_MEMBERS = "kdf: must have exactly the members name, iterations, salt"
KDF = "kdf: name must be PBKDF2-SHA256"
COST = "kdf: iterations must be a whole number from 600000 to 10000000"
SALT = f"salt: must be 16 bytes {BASE64URL}"
HEADER = f"header: must be 1 byte or more {BASE64URL}"
NONCE = f"nonce: must be 12 bytes {BASE64URL}"
BODY = f"ciphertext: must be 1 byte or more {BASE64URL}"
TAG = f"tag: must be 16 bytes {BASE64URL}"
LONG = ("Sphinx of black quartz, judge my vow. 다람쥐 헌 쳇바퀴에 타고파 🐿\r\n", 1_300)

Json = dict[str, object]


# The format


def derive(password: str, salt: bytes, iterations: int) -> dict[str, bytes]:
    """The master secret and the keys that are derived from it."""
    master = pbkdf2(unicodedata.normalize("NFC", password), salt, iterations)
    return {"master": master, "key": hkdf(master, b"saver/v1/key"), "proof": hkdf(master, b"saver/v1/proof")}


@cache
def pbkdf2(password: str, salt: bytes, iterations: int) -> bytes:
    """RFC 8018 with HMAC-SHA256, 32 bytes."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, 32)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256 and no salt, 32 bytes: one block."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def header_of(salt: bytes, iterations: int, *, turned: bool = False) -> str:
    """The protected header as JSON; the order of its members does not matter."""
    kdf = {"name": "PBKDF2-SHA256", "iterations": iterations, "salt": b64(salt)}
    header = {"alg": "dir", "enc": "A256GCM", "kdf": dict(reversed(kdf.items())) if turned else kdf}
    return compact(dict(reversed(header.items())) if turned else header)


def close(text: bytes, protected: str, key: bytes, nonce: bytes) -> str:
    """A JWE with a valid tag for any header."""
    sealed = AESGCM(key).encrypt(nonce, text, protected.encode())
    return ".".join([protected, "", b64(nonce), b64(sealed[:-16]), b64(sealed[-16:])])


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def fixed(name: str, length: int) -> bytes:
    """Fixed bytes in place of random ones."""
    return hashlib.sha256(f"saver test vectors: {name}".encode()).digest()[:length]


# Texts that open


def texts() -> Iterator[Json]:
    """Texts, their passwords and every value on the way to the JWE."""
    nfc = "카페 caf\u00e9 \u1e9b\u0323"
    yield text("ASCII", "The safe is behind the painting.", PASSWORD)
    yield text("one byte", "x", "p")
    yield text("Korean", "금고는 그림 뒤에 있습니다.", "다람쥐 헌 쳇바퀴")
    yield text("passwords in NFC and NFD", "caf\u00e9 cafe\u0301", nfc, unicodedata.normalize("NFD", nfc))
    yield text("emoji", "👩‍👩‍👧‍👦 👋🏽 🇰🇷", "🔑🗝️")
    yield text(
        "BOM, CRLF and control characters",
        "\ufeffone\r\ntwo\rthree\n\1\u2028\ufeff",
        " spaces and\ttabs count ",
    )
    yield text("long password", "padded", "0123456789abcdef" * 8)
    yield text("more iterations", "slower to guess", PASSWORD, iterations=700_000)
    yield text("members in another order", "what counts is what was received", PASSWORD, turned=True)
    yield text("100 kB", "", PASSWORD, repeat=LONG)


def text(
    name: str,
    plain: str,
    *passwords: str,
    iterations: int = ITERATIONS,
    turned: bool = False,
    repeat: tuple[str, int] = ("", 0),
) -> Json:
    """One text. A long text is given as a string and how often to repeat it, and its JWE as a hash."""
    salt, nonce = fixed(f"{name}: salt", 16), fixed(f"{name}: nonce", 12)
    derived = derive(passwords[0], salt, iterations)
    header = header_of(salt, iterations, turned=turned)
    jwe = close((plain or repeat[0] * repeat[1]).encode(), b64(header.encode()), derived["key"], nonce)
    long: Json = {
        "repeat": repeat[0],
        "times": repeat[1],
        "jwe_sha256": b64(hashlib.sha256(jwe.encode()).digest()),
    }
    return {
        "name": name,
        "passwords": passwords,
        "iterations": iterations,
        "salt": b64(salt),
        **{step: b64(value) for step, value in derived.items()},
        "proof_sha256": b64(hashlib.sha256(derived["proof"]).digest()),
        "nonce": b64(nonce),
        "header": header,
        "protected": b64(header.encode()),
        **({"text": plain, "jwe": jwe} if plain else long),
    }


# Texts that are refused; each is the first text with one fault


def refused() -> Iterator[Json]:
    """JWEs that a reader refuses, and the rule that each breaks."""
    salt, nonce = fixed("ASCII: salt", 16), fixed("ASCII: nonce", 12)
    plain = b"The safe is behind the painting."
    key = derive(PASSWORD, salt, ITERATIONS)["key"]
    good = header_of(salt, ITERATIONS)
    jwe = close(plain, b64(good.encode()), key, nonce)
    yield from parts_refused(jwe)
    yield from lengths_refused(plain, b64(good.encode()), key, nonce)
    yield from tampered(jwe)
    for name, header, rule in headers_refused(good, b64(salt)):
        protected = header if name.startswith("base64url") else b64(header.encode("utf-8", "surrogateescape"))
        yield refusal(f"header: {name}", close(plain, protected, key, nonce), rule)
    yield refusal("another password", jwe, OPENS, "Correct horse battery staple")
    yield refusal(
        "text that is not UTF-8",
        close(b"\xff" + plain, b64(good.encode()), key, nonce),
        "text: must be UTF-8",
    )


def refusal(name: str, jwe: str, rule: str | None, password: str = PASSWORD) -> Json:
    """The rule is null if implementations may notice different rules first."""
    return {"name": name, "password": password, "jwe": jwe, "rule": rule}


def parts_refused(jwe: str) -> Iterator[Json]:
    """Strings that are not a JWE of five parts in base64url."""
    protected, _, nonce, body, tag = jwe.split(".")
    five = "must have five parts"
    for name, wrong, rule in [
        ("empty", "", five),
        ("four parts", ".".join([protected, nonce, body, tag]), five),
        ("six parts", f"{jwe}.", five),
        ("no header", jwe.removeprefix(protected), HEADER),
        ("no header, but dots", "....", HEADER),
        ("an encrypted key", jwe.replace("..", ".AAAA.", 1), "encrypted key: must be empty"),
        ("white space in front", f" {jwe}", HEADER),
        ("a line break at the end", f"{jwe}\n", TAG),
        ("padding", f"{jwe}==", TAG),
        ("a foreign character", jwe.replace(body, f"{body[:9]}!{body[9:]}"), BODY),
        ("base64, not base64url", jwe.replace(nonce, f"+/{nonce[2:]}"), NONCE),
        ("bits left over in the tag", jwe[:-1] + follower(jwe[-1]), TAG),
        ("bits left over in the ciphertext", jwe.replace(body, body[:-1] + follower(body[-1])), BODY),
    ]:
        yield refusal(name, wrong, rule)


def follower(last: str) -> str:
    """The next character of the alphabet: it decodes to the same bytes, with other unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(last) + 1]


def lengths_refused(plain: bytes, protected: str, key: bytes, nonce: bytes) -> Iterator[Json]:
    """JWEs with a valid tag and a part of the wrong length."""
    for length in (8, 11, 13, 16):
        wrong = fixed("nonce", length)
        yield refusal(f"nonce of {length} bytes", close(plain, protected, key, wrong), NONCE)
    yield refusal("empty text", close(b"", protected, key, nonce), BODY)
    sealed = AESGCM(key).encrypt(nonce, plain, protected.encode())
    for name, body, tag in [
        ("tag of 15 bytes", sealed[:-16], sealed[-16:-1]),
        ("tag with a byte of the ciphertext", sealed[:-17], sealed[-17:]),
        ("ciphertext with a byte of the tag", sealed[:-15], sealed[-15:]),
        ("no tag", sealed, b""),
    ]:
        wrong_jwe = ".".join([protected, "", b64(nonce), b64(body), b64(tag)])
        yield refusal(name, wrong_jwe, TAG)


def tampered(jwe: str) -> Iterator[Json]:
    """JWEs in the right form that were changed after sealing: only the tag shows it."""
    protected, _, nonce, body, tag = jwe.split(".")
    salt, other = fixed("ASCII: salt", 16), fixed("other salt", 16)
    for name, was, becomes in [
        ("nonce changed", nonce, b64(fixed("other nonce", 12))),
        ("ciphertext changed", body, ("B" if body[0] == "A" else "A") + body[1:]),
        ("ciphertext shortened", body, body[: 4 * (len(body) // 4) - 4]),
        ("tag changed", tag, ("B" if tag[0] == "A" else "A") + tag[1:]),
        ("tag of zeros", tag, b64(bytes(16))),
        (
            "members of the header in another order",
            protected,
            b64(header_of(salt, ITERATIONS, turned=True).encode()),
        ),
    ]:
        yield refusal(name, jwe.replace(was, becomes), OPENS)
    # A reader that compares the header with the parameters it derived with need not decrypt.
    for name, header in [
        ("salt changed", header_of(other, ITERATIONS)),
        ("iterations changed", header_of(salt, 600_001)),
    ]:
        yield refusal(name, jwe.replace(protected, b64(header.encode())), None)


def headers_refused(good: str, salt: str) -> Iterator[tuple[str, str, str | None]]:
    """Headers with a valid tag: only the rule refuses them."""

    def changed(was: str, becomes: str) -> str:
        assert was in good
        return good.replace(was, becomes)

    for name in ("A256KW", "A256GCMKW", "PBES2-HS256+A128KW", "none", "DIR"):
        yield f"alg {name}", changed('"dir"', f'"{name}"'), "header: alg must be dir"
    for name in ("A128GCM", "A256CBC-HS512", "a256gcm"):
        yield f"enc {name}", changed("A256GCM", name), "header: enc must be A256GCM"
    for name in ("Argon2id", "PBKDF2-SHA1", "pbkdf2-sha256", ""):
        yield f"kdf {name or 'without a name'}", changed("PBKDF2-SHA256", name), KDF
    for iterations in (
        "1",
        "0",
        "-600000",
        "599999",
        "10000001",
        "1000000000",
        '"600000"',
        "600000.5",
        "true",
        "null",
    ):
        yield f"iterations {iterations}", changed("600000", iterations), COST
    # Some JSON parsers take these for whole numbers.
    for iterations in ("600000.0", "6e5", "0600000", "1" + "0" * 30):
        yield f"iterations {iterations}", changed("600000", iterations), None
    for name, wrong in [
        ("of 15 bytes", b64(fixed("short salt", 15))),
        ("of 17 bytes", b64(fixed("long salt", 17))),
        ("of 32 bytes", b64(fixed("long salt", 32))),
        ("that is empty", ""),
        ("with padding", f"{salt}=="),
        ("with bits left over", salt[:-1] + follower(salt[-1])),
        ("with a foreign character", f"{salt}!"),
    ]:
        yield f"salt {name}", changed(salt, wrong), SALT
    yield "salt that is null", changed(f'"{salt}"', "null"), SALT
    yield from members_refused(good, salt)


def members_refused(good: str, salt: str) -> Iterator[tuple[str, str, str | None]]:
    """Headers that are not the object that is specified, or not in the form that is."""
    end = good.removesuffix("}")
    yield "one member more", f'{end},"zip":"DEF"}}', MEMBERS
    yield "crit", f'{end},"crit":["kdf"]}}', MEMBERS
    yield "__proto__", f'{end},"__proto__":{{}}}}', MEMBERS
    yield "no alg", good.replace('"alg":"dir",', ""), MEMBERS
    yield "no kdf", '{"alg":"dir","enc":"A256GCM"}', MEMBERS
    yield "an array", f"[{good}]", MEMBERS
    yield "null", "null", MEMBERS
    yield "one member more in kdf", good.replace('"name"', '"hash":"SHA-256","name"'), KDF_MEMBERS
    yield "no salt", good.replace(f',"salt":"{salt}"', ""), KDF_MEMBERS
    yield "kdf is a string", '{"alg":"dir","enc":"A256GCM","kdf":"PBKDF2-SHA256"}', KDF_MEMBERS
    yield "alg twice", good.replace('"alg":"dir"', '"alg":"dir","alg":"dir"'), COMPACT
    yield "iterations twice", good.replace('"iterations"', '"iterations":1,"iterations"'), COMPACT
    yield "white space", good.replace(",", ", "), COMPACT
    yield "a line break at the end", f"{good}\n", COMPACT
    yield "an escaped letter", good.replace("dir", "d\\u0069r"), COMPACT
    yield "a BOM", f"\ufeff{good}", COMPACT
    yield "not UTF-8", good.replace("dir", "dir\udcff"), COMPACT
    yield "not JSON", "sealed", COMPACT
    for characters, rule in (512, MEMBERS), (514, "header: must be at most 512 characters"):
        filling = "x" * (characters * 3 // 4 - len(end) - len(',"x":""}'))
        yield f"{characters} characters", f'{end},"x":"{filling}"}}', rule
    yield "base64url with padding", f"{b64(good.encode())}=", HEADER


# Parameters, as the 404 contains them


def parameters() -> Json:
    """Parameters that a client derives with, and those that it refuses before it derives."""
    salt = b64(fixed("parameters", 16))
    good = {"name": "PBKDF2-SHA256", "iterations": ITERATIONS, "salt": salt}
    wrong: list[tuple[str, object, str]] = [
        *(("name", name, KDF) for name in ("Argon2id", "PBKDF2", "pbkdf2-sha256", "", None, 1)),
        *(("iterations", cost, COST) for cost in (1, 0, -1, 100_000, 599_999, 10_000_001, 10**9, 600_000.5)),
        *(("iterations", cost, COST) for cost in ("600000", None, True, [ITERATIONS])),
        *(("salt", b64(fixed("salt", length)), SALT) for length in (1, 8, 15, 17, 64)),
        *(("salt", given, SALT) for given in ("", f"{salt}==", salt[:-1] + follower(salt[-1]), None, 16)),
    ]
    return {
        "accepted": [{**good, "iterations": cost} for cost in (600_000, 600_001, 10_000_000)],
        "refused": [{"parameters": {**good, name: value}, "rule": rule} for name, value, rule in wrong],
    }


def document() -> str:
    """The whole file."""
    about = "Test vectors of docs/sealed-text.md, made by tests/vectors/make.py. Bytes are in base64url."
    whole = {"about": about, "texts": [*texts()], "refused": [*refused()], "parameters": parameters()}
    # Escapes, so that no editor normalises what must stay in NFD.
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
