"""Sealed texts: encrypted under a password, opened only by who knows it.

The format is a JWE in compact serialisation (RFC 7516) with ``alg: dir`` and
``enc: A256GCM``. Its protected header also names the key derivation, and is
the additional authenticated data, so neither can be changed afterwards::

    {"alg":"dir","enc":"A256GCM","kdf":{"name":"PBKDF2-SHA256","iterations":600000,"salt":"…"}}

    master = PBKDF2-SHA256(password in NFC and UTF-8, salt, iterations, 32 bytes)   RFC 8018
    key    = HKDF-SHA256(master, no salt, info "saver/v1/key", 32 bytes)            RFC 5869
    proof  = HKDF-SHA256(master, no salt, info "saver/v1/proof", 32 bytes)

The key never leaves whoever sealed the text. The proof is what a client shows
instead of the password; the server keeps only its hash.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import threading
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

KDF_NAME = "PBKDF2-SHA256"
ITERATIONS = 600_000
SALT_BYTES = 16
NONCE_BYTES = 12
_TAG_BYTES = 16
_SECONDS_IN_LINE = 1.0


class BadSealError(ValueError):
    """This is not a sealed text as specified, or the key does not open it."""


class BusyError(Exception):
    """As many passwords as allowed are being derived already."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The public parameters of a derivation. ``salt`` is SALT_BYTES long."""

    salt: bytes
    iterations: int = ITERATIONS
    name: str = KDF_NAME

    def as_json(self) -> dict[str, str | int]:
        """The form it has in a protected header and in the one 404."""
        return {"name": self.name, "iterations": self.iterations, "salt": encode(self.salt)}

    def protected(self) -> str:
        """The protected header of a text sealed with these parameters."""
        header = {"alg": "dir", "enc": "A256GCM", "kdf": self.as_json()}
        return encode(json.dumps(header, separators=(",", ":")).encode())

    @classmethod
    def from_protected(cls, protected: str) -> Seal:
        """Read a protected header. Raises BadSealError when it is none of ours."""
        try:
            kdf = json.loads(decode(protected))["kdf"]
            return cls(salt=decode(kdf["salt"]), iterations=int(kdf["iterations"]), name=str(kdf["name"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadSealError("has no key derivation in its protected header") from error


@dataclass(frozen=True, slots=True)
class Keys:
    """What a password yields under a seal: 32 bytes each."""

    key: bytes
    proof: bytes


class Deriver:
    """Derives keys, a bounded number at a time.

    A derivation keeps a processor busy for some 200 ms. Without the bound a
    few wrong passwords a second would make everybody wait.
    """

    def __init__(self, at_once: int) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(2 * at_once)

    def derive(self, password: str, seal: Seal) -> Keys:
        """Derive the keys of a password. Raises BusyError beyond the bound."""
        with self._place():
            return derive(password, seal)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise BusyError
        try:
            if not self._running.acquire(timeout=_SECONDS_IN_LINE):
                raise BusyError
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()


def derive(password: str, seal: Seal) -> Keys:
    """Derive the keys of a password under a seal (formula in the module's docstring)."""
    secret = unicodedata.normalize("NFC", password).encode()
    master = PBKDF2HMAC(SHA256(), 32, seal.salt, seal.iterations).derive(secret)
    return Keys(key=_branch(master, b"saver/v1/key"), proof=_branch(master, b"saver/v1/proof"))


def _branch(master: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(master)


def close(text: str, seal: Seal, keys: Keys, nonce: bytes) -> str:
    """Seal a text: its JWE. ``nonce`` is NONCE_BYTES at random, never used twice with a key."""
    protected = seal.protected()
    sealed = AESGCM(keys.key).encrypt(nonce, text.encode(), protected.encode())
    parts = (nonce, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    return ".".join([protected, "", *map(encode, parts)])


def unseal(jwe: str, key: bytes) -> str:
    """The text in a JWE. Raises BadSealError when the key is wrong or a byte was changed."""
    try:
        protected, _empty, nonce, body, tag = jwe.split(".")
        text = AESGCM(key).decrypt(decode(nonce), decode(body) + decode(tag), protected.encode())
    except (InvalidTag, ValueError) as error:
        raise BadSealError("does not open with this key") from error
    return text.decode()


def hash_proof(proof: bytes) -> bytes:
    """What the server keeps of a proof. A plain hash is enough: a proof has 256 random bits."""
    return hashlib.sha256(proof).digest()


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Bytes of base64url without padding. Raises ValueError."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("is not base64url") from error
