"""Encryption at rest: without the secret of the server nothing that is stored of a text can be read.

HKDF-SHA256 (RFC 5869, without salt) derives the keys from a secret; ``info`` is
"saver/at-rest/v1/id", "saver/at-rest/v1/body" and "saver/at-rest/v1/proof"::

    key_id    = 8 bytes: which secret a row belongs to
    body      = nonce (12 bytes) || AES-256-GCM(key of bodies, nonce, content, data = code || owner_hash)
    content   = UTF-8 of an open text; SHA-256(proof) || JWE of a sealed one
    proof_mac = HMAC-SHA256(key of proofs, SHA-256(proof))

The additional data binds a body to its lease: under another code, or in a later lease of the same code, it
does not open. The hash of the proof in the content binds a sealed text to its proof, and lets a downgrade
of the schema restore the hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
KEY_ID_BYTES = 8
_KEY_BYTES = 32


class CannotDecryptError(Exception):
    """A stored body was changed, moved, or encrypted with another key. Repeats nothing of it."""


class StorageKey:
    """The keys of one secret. ``id`` is stored with every row that they encrypt."""

    def __init__(self, secret: bytes) -> None:
        self.id = _derive(secret, b"id", KEY_ID_BYTES)
        self._cipher = AESGCM(_derive(secret, b"body", _KEY_BYTES))
        self._proof_key = _derive(secret, b"proof", _KEY_BYTES)

    def encrypt(self, content: bytes, lease: bytes, nonce: bytes) -> bytes:
        """Encrypt what a lease stores. ``nonce``: NONCE_BYTES random bytes, used once."""
        return nonce + self._cipher.encrypt(nonce, content, lease)

    def decrypt(self, body: bytes, lease: bytes) -> bytes:
        """Return the content of a body. Raises CannotDecryptError."""
        try:
            return self._cipher.decrypt(body[:NONCE_BYTES], memoryview(body)[NONCE_BYTES:], lease)
        # TypeError and ValueError: no body that this class made.
        except (InvalidTag, TypeError, ValueError):
            raise CannotDecryptError from None

    def proof_mac(self, proof_hash: bytes) -> bytes:
        """Return what is stored to recognize a proof by its SHA-256."""
        return hmac.digest(self._proof_key, proof_hash, hashlib.sha256)


class Keyring:
    """Every key that opens texts; ``current`` encrypts new ones."""

    def __init__(self, secret: bytes, other_secrets: Iterable[bytes] = ()) -> None:
        self.current = StorageKey(secret)
        self._keys = {key.id: key for key in (self.current, *map(StorageKey, other_secrets))}

    @property
    def ids(self) -> list[bytes]:
        """The ids of all keys, that of the current one first."""
        return list(self._keys)

    def find(self, key_id: bytes | None) -> StorageKey | None:
        """Return the key with an id, or None."""
        return self._keys.get(key_id) if key_id is not None else None


def lease_of(code: str, owner_hash: bytes) -> bytes:
    """Return the additional data that binds a body to its lease."""
    return code.encode() + owner_hash


def _derive(secret: bytes, name: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"saver/at-rest/v1/" + name).derive(secret)
