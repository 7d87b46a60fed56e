"""Save: seal before the transaction, then lease a code in it."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from saver import seal
from saver.at_rest import NONCE_BYTES, lease_of
from saver.codes import Code
from saver.database.tables import text
from saver.seal import Seal
from saver.store.allocate import CodeAllocator
from saver.store.base import Store, hash_secret
from saver.store.quota import FullError, Quota, Quotas
from saver.texts import IdempotentRequest, NewText

_OWNER_TOKEN_BYTES = 16

_of_key = (
    select(text.c.code, text.c.expires_at, text.c.request_hash)
    .where(text.c.key_hash == bindparam("key_hash"))
    .with_for_update()
)


class KeyReusedError(Exception):
    """The idempotency key was used with another request before."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text that was saved. ``expires_at`` is in UTC seconds."""

    code: Code
    expires_at: int
    owner_token: str


class TextWriter:
    """The operation of saving."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.allocate = CodeAllocator(store.database, store.random)
        self._quotas = Quotas(store.database, store.disk, store.clock, store.max_bytes)

    def save(self, new: NewText, quota: Quota | None = None) -> StoredText:
        """Lease a code for a text, whose ``lifetime`` must be set.

        A JWE must have been checked by the caller. A repeated idempotent write gets the same lease.
        Raises PoolEmptyError, QuotaError, FullError, KeyReusedError, and BusyError while too many keys
        are being derived.
        """
        again = self.find_saved(new.idempotency) if new.idempotency else None
        if again:
            return again
        # Checked before the derivation, although sealing adds some hundred bytes.
        self._quotas.must_have_room(len(new.text.encode()))
        token = self._owner_token(new.idempotency)
        row, content = self._row(new, quota, hash_secret(token))

        def encrypted_for(code: Code) -> dict[str, Any]:
            nonce = self._store.random.randbytes(NONCE_BYTES)
            key, lease = self._store.keyring.current, lease_of(code, row["owner_hash"])
            return {**row, "code": code, "body": key.encrypt(content, lease, nonce)}

        def lease(connection: Connection) -> tuple[Code, int]:
            if new.idempotency and (found := _find_key(connection, new.idempotency)):
                return Code(found.code), found.expires_at
            self._quotas.check(connection, quota, row["size"], self._store.now())
            return self.allocate(connection, encrypted_for), row["expires_at"]

        code, expires_at = self._store.write(lease)
        self._quotas.add(row["size"])
        return StoredText(code, expires_at, token)

    def has_room(self, size: int) -> bool:
        """Return whether there is space for a text of ``size`` bytes of any source. Raises StorageError."""
        try:
            self._quotas.must_have_room(size)
        except FullError:
            return False
        return self._store.read(lambda connection: self._store.disk.has_room(connection, size))

    def find_saved(self, idempotency: IdempotentRequest) -> StoredText | None:
        """Return what an earlier write with the same key has stored. Raises KeyReusedError."""
        found = self._store.database.run_durable_read(lambda connection: _find_key(connection, idempotency))
        return (
            StoredText(Code(found.code), found.expires_at, self._owner_token(idempotency)) if found else None
        )

    def _owner_token(self, idempotency: IdempotentRequest | None) -> str:
        if idempotency is None:
            return seal.encode(self._store.random.randbytes(_OWNER_TOKEN_BYTES))
        # Derived from the key, so that a repeated write gets the same token and only its hash is stored.
        made = hmac.digest(self._store.secret, b"owner token " + idempotency.key.encode(), hashlib.sha256)
        return seal.encode(made[:_OWNER_TOKEN_BYTES])

    def _row(self, new: NewText, quota: Quota | None, owner_hash: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the row of a text without its body, and the body's content."""
        if new.lifetime is None:
            raise ValueError("a text without a lifetime")
        now = math.ceil(self._store.clock())
        expires_at = now + new.lifetime
        network = quota.network if quota else None
        text, proof, header = self._sealed(new)
        proof_hash, key = seal.hash_proof(proof) if proof is not None else b"", self._store.keyring.current
        body = text.encode()
        row = {
            "owner_hash": owner_hash,
            "key_id": key.id,
            "size": len(body),
            "seal": header,
            "proof_mac": key.proof_mac(proof_hash) if proof_hash else None,
            "once": new.once,
            "saved_at": now,
            "expires_at": expires_at,
            "free_at": self._store.reusable_at(expires_at),
            "source": quota.sources[0] if quota else None,
            "network": network.sources[0] if network else None,
            "key_hash": hash_secret(new.idempotency.key) if new.idempotency else None,
            "request_hash": new.idempotency.request_hash if new.idempotency else None,
            "claim_hash": None,
            "ended": None,
        }
        return row, proof_hash + body

    def _sealed(self, new: NewText) -> tuple[str, bytes | None, str | None]:
        """Return the text or its JWE, and for a JWE its proof and its protected header."""
        body, proof, header = new.text, new.proof, None
        if new.password is not None:
            params = Seal(self._store.random.randbytes(seal.SALT_BYTES), seal.ITERATIONS)
            keys = self._store.deriver.derive(new.password, params)
            body = seal.encrypt(body, params, keys, self._store.random.randbytes(seal.NONCE_BYTES))
            proof = keys.proof
        if proof is not None:
            header = body.partition(".")[0]
        return body, proof, header


def _find_key(connection: Connection, idempotency: IdempotentRequest) -> Row[str, int, bytes] | None:
    found = connection.execute(_of_key, {"key_hash": hash_secret(idempotency.key)}).one_or_none()
    if found and not hmac.compare_digest(found.request_hash, idempotency.request_hash):
        raise KeyReusedError
    return found
