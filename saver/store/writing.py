"""Save: seal before the transaction, then lease a code in it."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from saver import seal
from saver.codes import Code
from saver.database.tables import text
from saver.seal import Seal
from saver.store.allocate import CodeAllocator
from saver.store.base import Dependencies, StoreBase, hash_secret
from saver.store.quota import FullError, Quota, Quotas

_OWNER_TOKEN_BYTES = 16

_of_key = (
    select(text.c.code, text.c.expires_at, text.c.request_hash)
    .where(text.c.key_hash == bindparam("key_hash"))
    .with_for_update()
)


class KeyReusedError(Exception):
    """The idempotency key came before with another request."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text that was saved. ``expires_at`` is in UTC seconds."""

    code: Code
    expires_at: int
    owner_token: str


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A write that may come again: its idempotency key, and the request it came with."""

    key: str
    request: bytes

    @property
    def request_hash(self) -> bytes:
        """Keyed by the key, which is not stored: nobody can try passwords on it."""
        return hmac.digest(self.key.encode(), self.request, hashlib.sha256)


@dataclass(frozen=True, slots=True)
class _Draft:
    body: str
    lifetime: int
    password: str | None
    proof: bytes | None
    once: bool
    quota: Quota | None
    idempotency: IdempotentRequest | None


class Save(StoreBase):
    """The deed of saving."""

    def __init__(self, seams: Dependencies) -> None:
        super().__init__(seams)
        self._draw = CodeAllocator(seams.engine, seams.random)
        self._quotas = Quotas(seams.engine, seams.disk, seams.clock, seams.size_in_all)

    def save(  # noqa: PLR0913 - what a writer may say
        self,
        body: str,
        lifetime: int,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        once: bool = False,
        quota: Quota | None = None,
        idempotency: IdempotentRequest | None = None,
    ) -> StoredText:
        """Lease a code for a text that lives ``lifetime`` seconds.

        With ``password`` it is sealed here; with ``proof`` (32 bytes) it came sealed,
        and ``body`` is a JWE that the caller has checked. A repeatable write that
        came before gets the same lease. Raises PoolEmptyError, QuotaError, FullError,
        KeyReusedError, and BusyError while too many passwords are being derived.
        """
        draft = _Draft(body, lifetime, password, proof, once, quota, idempotency)
        again = self._before(draft.idempotency) if draft.idempotency else None
        if again:
            return again
        # Before a password is derived; what it is sealed in is some hundred bytes more.
        self._quotas.must_have_room(len(draft.body.encode()))
        row = self._row(draft)
        token = self._owner_token(draft.idempotency)
        row["owner_hash"] = hash_secret(token)

        def lease(connection: Connection) -> tuple[Code, int]:
            if draft.idempotency and (found := _find_key(connection, draft.idempotency)):
                return Code(found.code), found.expires_at
            self._quotas.check(connection, draft.quota, row["size"], self._now())
            return self._draw(connection, row), row["expires_at"]

        code, expires_at = self._writer.run(lease)
        self._quotas.kept(row["size"])
        return StoredText(code, expires_at, token)

    def has_room(self, size: int) -> bool:
        """Whether a text of ``size`` bytes would be kept, whoever writes it. Raises StorageError."""
        try:
            self._quotas.must_have_room(size)
        except FullError:
            return False
        return self._read(lambda connection: self.disk.has_room(connection, size))

    def _before(self, idempotency: IdempotentRequest) -> StoredText | None:
        found = self._read_durable(lambda connection: _find_key(connection, idempotency))
        return (
            StoredText(Code(found.code), found.expires_at, self._owner_token(idempotency)) if found else None
        )

    def _owner_token(self, idempotency: IdempotentRequest | None) -> str:
        if idempotency is None:
            return seal.encode(self._random.randbytes(_OWNER_TOKEN_BYTES))
        # Made anew from the key whenever it comes again, so that only its hash is kept.
        made = hmac.digest(self._secret, b"owner token " + idempotency.key.encode(), hashlib.sha256)
        return seal.encode(made[:_OWNER_TOKEN_BYTES])

    def _row(self, draft: _Draft) -> dict[str, Any]:
        now = math.ceil(self._clock())
        expires_at = now + draft.lifetime
        network = draft.quota.network if draft.quota else None
        return {
            **self._sealed(draft),
            "once": draft.once,
            "saved_at": now,
            "expires_at": expires_at,
            "free_at": expires_at + self._rest,
            "source": draft.quota.sources[0] if draft.quota else None,
            "network": network.sources[0] if network else None,
            "key_hash": hash_secret(draft.idempotency.key) if draft.idempotency else None,
            "request_hash": draft.idempotency.request_hash if draft.idempotency else None,
            "claim_hash": None,
            "ended": None,
        }

    def _sealed(self, draft: _Draft) -> dict[str, Any]:
        body, proof, header = draft.body, draft.proof, None
        if draft.password is not None:
            params = Seal(self._random.randbytes(seal.SALT_BYTES))
            keys = self._deriver.derive(draft.password, params)
            body = seal.encrypt(body, params, keys, self._random.randbytes(seal.NONCE_BYTES))
            proof = keys.proof
        if proof is not None:
            header = body.partition(".")[0]
        return {
            "body": body,
            "size": len(body.encode()),
            "seal": header,
            "proof_hash": seal.hash_proof(proof) if proof is not None else None,
        }


def _find_key(connection: Connection, idempotency: IdempotentRequest) -> Row[str, int, bytes] | None:
    found = connection.execute(_of_key, {"key_hash": hash_secret(idempotency.key)}).one_or_none()
    if found and not hmac.compare_digest(found.request_hash, idempotency.request_hash):
        raise KeyReusedError
    return found
