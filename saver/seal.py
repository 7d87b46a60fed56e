"""Sealed texts: encrypted with a key that is derived from a password.

The format is a JWE in compact serialisation (RFC 7516) with ``alg: dir`` and
``enc: A256GCM``. Its protected header also names the key derivation, and is
the additional authenticated data, so neither can be changed afterwards::

    {"alg":"dir","enc":"A256GCM","kdf":{"name":"PBKDF2-SHA256","iterations":600000,"salt":"…"}}

    master = PBKDF2-SHA256(password in NFC and UTF-8, salt, iterations, 32 bytes)   RFC 8018
    key    = HKDF-SHA256(master, no salt, info "saver/v1/key", 32 bytes)            RFC 5869
    proof  = HKDF-SHA256(master, no salt, info "saver/v1/proof", 32 bytes)

The key never leaves the client that sealed the text. A client shows the proof instead of the
password, and the server stores only the hash of the proof. docs/sealed-text.md specifies the
format and has test vectors.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

KDF_NAME = "PBKDF2-SHA256"
ITERATIONS = 600_000
# Fewer iterations make guessing cheap, more would block a client for too long.
MIN_ITERATIONS = 600_000
MAX_ITERATIONS = 10_000_000
SALT_BYTES = 16
NONCE_BYTES = 12
PROOF_BYTES = 32
# The protected header of a live transfer: its key comes from a key exchange, not from a password.
LIVE_HEADER = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2RmIjp7Im5hbWUiOiJDUEFDRS1YMjU1MTktU0hBNTEyIn19"
_TAG_BYTES = 16
_MAX_HEADER_CHARACTERS = 512


class BadSealError(ValueError):
    """The sealed text breaks the format, or the key does not open it.

    The message names the part and the rule, never the input.
    """


@dataclass(frozen=True, slots=True)
class Seal:
    """The public parameters of a derivation. Raises BadSealError for any that are not allowed."""

    salt: bytes
    iterations: int = ITERATIONS
    name: str = KDF_NAME

    def __post_init__(self) -> None:
        _require(self.name == KDF_NAME, f"kdf: name must be {KDF_NAME}")
        _require(
            type(self.iterations) is int and MIN_ITERATIONS <= self.iterations <= MAX_ITERATIONS,
            f"kdf: iterations must be a whole number from {MIN_ITERATIONS} to {MAX_ITERATIONS}",
        )
        _require(len(self.salt) == SALT_BYTES, f"salt: must be {SALT_BYTES} bytes")

    def as_json(self) -> dict[str, str | int]:
        """Return the members as they are in a protected header and in the 404 response."""
        return {"name": self.name, "iterations": self.iterations, "salt": encode(self.salt)}

    def protected(self) -> str:
        """Return the protected header of a text that is sealed with these parameters."""
        header = {"alg": "dir", "enc": "A256GCM", "kdf": self.as_json()}
        return encode(_compact(header).encode())

    @classmethod
    def from_protected(cls, protected: str) -> Seal:
        """Parse a protected header. Raises BadSealError if it breaks the format."""
        limit = _MAX_HEADER_CHARACTERS
        _require(len(protected) <= limit, f"header: must be at most {limit} characters")
        header = _members("header", _header(protected), "alg, enc, kdf")
        _require(header["alg"] == "dir", "header: alg must be dir")
        _require(header["enc"] == "A256GCM", "header: enc must be A256GCM")
        kdf = _members("kdf", header["kdf"], "name, iterations, salt")
        return cls(_bytes("salt", kdf["salt"], SALT_BYTES), kdf["iterations"], kdf["name"])


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys that are derived from a password, 32 bytes each."""

    key: bytes
    proof: bytes


def derive(password: str, seal: Seal) -> Keys:
    """Derive the keys of a password under a seal (formula in the module's docstring)."""
    secret = unicodedata.normalize("NFC", password).encode()
    master = PBKDF2HMAC(SHA256(), 32, seal.salt, seal.iterations).derive(secret)
    return Keys(key=_branch(master, b"saver/v1/key"), proof=_branch(master, b"saver/v1/proof"))


def _branch(master: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(master)


def encrypt(text: str, seal: Seal, keys: Keys, nonce: bytes) -> str:
    """Encrypt a text and return the JWE. ``nonce``: NONCE_BYTES random bytes, used once per key.

    Raises BadSealError for NUL, which no text of the service may contain.
    """
    return encrypt_under(seal.protected(), text, keys.key, nonce)


def encrypt_under(protected: str, text: str, key: bytes, nonce: bytes) -> str:
    """``encrypt`` with a given protected header, that of a seal or LIVE_HEADER."""
    _require("\0" not in text, "text: must not contain NUL")
    sealed = AESGCM(key).encrypt(nonce, text.encode(), protected.encode())
    parts = (nonce, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    return ".".join([protected, "", *map(encode, parts)])


def check(jwe: str) -> Seal:
    """Check a JWE that a client made, as far as that is possible without the key; return its parameters.

    Raises BadSealError, also for an allowed number of iterations that this service does not use:
    the 404 response shows it, so a number that differs from the decoys would reveal the text, and
    the server spends that time when a plain client sends the password.
    """
    parts = _split(jwe)
    seal = Seal.from_protected(parts[0])
    _sealed(parts)
    _require(seal.iterations == ITERATIONS, f"kdf: iterations must be {ITERATIONS} for this service")
    return seal


def check_live(jwe: str) -> bool:
    """Return whether a JWE has LIVE_HEADER, and check the rest of it then. Raises BadSealError."""
    parts = _split(jwe)
    return parts[0] == LIVE_HEADER and bool(_sealed(parts))


def size(jwe: str) -> int:
    """Return the number of UTF-8 bytes in a JWE that has been checked."""
    return len(jwe.split(".")[3]) * 3 // 4


def max_characters(size: int) -> int:
    """Return the maximum length (characters) of a JWE with ``size`` bytes of UTF-8."""
    parts = (NONCE_BYTES, size, _TAG_BYTES)
    return _MAX_HEADER_CHARACTERS + 1 + sum(1 + -(-part * 4 // 3) for part in parts)


def decrypt(jwe: str, key: bytes, *, live: bool = False) -> str:
    """Return the text of a JWE; ``live``: only with LIVE_HEADER.

    Raises BadSealError if the key is wrong or a byte was changed.
    """
    parts = _split(jwe)
    if live:
        _require(parts[0] == LIVE_HEADER, "header: must be that of a live transfer")
    else:
        Seal.from_protected(parts[0])
    nonce, sealed = _sealed(parts)
    try:
        return AESGCM(key).decrypt(nonce, sealed, parts[0].encode()).decode()
    except InvalidTag:
        raise BadSealError("does not open with this key") from None
    except UnicodeDecodeError:  # its message contains bytes of the text
        raise BadSealError("text: must be UTF-8") from None


def hash_proof(proof: bytes) -> bytes:
    """Return the hash of a proof, as it is in the published vectors; ``saver.at_rest`` keys it."""
    return hashlib.sha256(proof).digest()


def parse_proof(text: str) -> bytes:
    """Parse a proof that a client sent. Raises BadSealError."""
    return _bytes("proof", text, PROOF_BYTES)


def encode(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url without padding; only the form that ``encode`` makes. Raises ValueError."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Python skips other characters and ignores unused bits.
    if encode(data) != text:
        raise ValueError("is not base64url")
    return data


def _split(jwe: str) -> list[str]:
    """Split into the five parts; the first one is the protected header."""
    parts = jwe.split(".", 5)
    _require(len(parts) == 5, "must have five parts")
    return parts


def _sealed(parts: list[str]) -> tuple[bytes, bytes]:
    """The nonce, and the ciphertext with its tag."""
    _require(not parts[1], "encrypted key: must be empty")
    nonce, body = _bytes("nonce", parts[2], NONCE_BYTES), _bytes("ciphertext", parts[3])
    return nonce, body + _bytes("tag", parts[4], _TAG_BYTES)


def _header(protected: str) -> object:
    data = _bytes("header", protected)
    try:
        text = data.decode()
        value: object = json.loads(text)
        # JSON parsers treat a duplicate member differently.
        _require(_compact(value) == text, "")
    except (ValueError, RecursionError):
        raise BadSealError("header: must be compact JSON with each member once") from None
    return value


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _members(part: str, value: object, names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(names.split(", ")):
        raise BadSealError(f"{part}: must have exactly the members {names}")
    return value


def _bytes(part: str, given: object, length: int | None = None) -> bytes:
    try:
        data = decode(given) if isinstance(given, str) else b""
    except ValueError:
        data = b""
    fits, rule = (len(data) == length, f"{length} bytes") if length else (bool(data), "1 byte or more")
    _require(fits, f"{part}: must be {rule} in base64url without padding")
    return data


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise BadSealError(rule)
