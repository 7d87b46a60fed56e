"""Save: seal before the transaction, then lease a code in it."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, select

from saver import dialect, seal
from saver.codes import Code
from saver.leases.base import Deeds, Seams, hash_secret
from saver.leases.draw import Draw
from saver.leases.sweep import live
from saver.models import text
from saver.seal import Seal
from saver.statements import Statement

_OWNER_TOKEN_BYTES = 16

_of_key = (
    select(text.c.code, text.c.expires_at, text.c.request_hash)
    .where(text.c.key_hash == bindparam("key_hash"))
    .with_for_update()
)


class QuotaError(Exception):
    """A source keeps as much as it may."""


class KeyReusedError(Exception):
    """The idempotency key came before with another request."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A text that was saved. ``expires_at`` is in UTC seconds."""

    code: Code
    expires_at: int
    owner_token: str


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one source may keep: live texts and their bytes; 0 means any number.

    ``sources`` are the names under which the source was kept on the last days,
    today's first.
    """

    sources: Sequence[bytes]
    texts: int
    size: int


@dataclass(frozen=True, slots=True)
class Repeatable:
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
    repeatable: Repeatable | None


class Save(Deeds):
    """The deed of saving."""

    def __init__(self, seams: Seams) -> None:
        super().__init__(seams)
        self._draw = Draw(seams.engine, seams.random)
        # By the number of names that a source has; in a process it is always the same one.
        self._kept = lru_cache(partial(_kept_by, seams.engine))

    def save(  # noqa: PLR0913 - what a writer may say
        self,
        body: str,
        lifetime: int,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        once: bool = False,
        quota: Quota | None = None,
        repeatable: Repeatable | None = None,
    ) -> Lease:
        """Lease a code for a text that lives ``lifetime`` seconds.

        With ``password`` it is sealed here; with ``proof`` (32 bytes) it came sealed,
        and ``body`` is a JWE that the caller has checked. A repeatable write that
        came before gets the same lease. Raises PoolEmptyError, QuotaError,
        KeyReusedError, and BusyError while too many passwords are being derived.
        """
        draft = _Draft(body, lifetime, password, proof, once, quota, repeatable)
        again = self._before(draft.repeatable) if draft.repeatable else None
        if again:
            return again
        row = self._row(draft)
        token = self._owner_token(draft.repeatable)
        row["owner_hash"] = hash_secret(token)

        def lease(connection: Connection) -> tuple[Code, int]:
            if draft.repeatable and (found := _find_key(connection, draft.repeatable)):
                return Code(found.code), found.expires_at
            if draft.quota:
                self._check_quota(connection, draft.quota, row["size"])
            return self._draw(connection, row), row["expires_at"]

        code, expires_at = self._writer.run(lease)
        return Lease(code, expires_at, token)

    def _before(self, repeatable: Repeatable) -> Lease | None:
        found = self._vouched(lambda connection: _find_key(connection, repeatable))
        return Lease(Code(found.code), found.expires_at, self._owner_token(repeatable)) if found else None

    def _owner_token(self, repeatable: Repeatable | None) -> str:
        if repeatable is None:
            return seal.encode(self._random.randbytes(_OWNER_TOKEN_BYTES))
        # Made anew from the key whenever it comes again, so that only its hash is kept.
        made = hmac.digest(self._secret, b"owner token " + repeatable.key.encode(), hashlib.sha256)
        return seal.encode(made[:_OWNER_TOKEN_BYTES])

    def _row(self, draft: _Draft) -> dict[str, Any]:
        now = math.ceil(self._clock())
        expires_at = now + draft.lifetime
        return {
            **self._sealed(draft),
            "once": draft.once,
            "saved_at": now,
            "expires_at": expires_at,
            "free_at": expires_at + self._rest,
            "source": draft.quota.sources[0] if draft.quota else None,
            "key_hash": hash_secret(draft.repeatable.key) if draft.repeatable else None,
            "request_hash": draft.repeatable.request_hash if draft.repeatable else None,
            "claim_hash": None,
            "ended": None,
        }

    def _sealed(self, draft: _Draft) -> dict[str, Any]:
        body, proof, header = draft.body, draft.proof, None
        if draft.password is not None:
            params = Seal(self._random.randbytes(seal.SALT_BYTES))
            keys = self._deriver.derive(draft.password, params)
            body = seal.close(body, params, keys, self._random.randbytes(seal.NONCE_BYTES))
            proof = keys.proof
        if proof is not None:
            header = body.partition(".")[0]
        return {
            "body": body,
            "size": len(body.encode()),
            "seal": header,
            "proof_hash": seal.hash_proof(proof) if proof is not None else None,
        }

    def _check_quota(self, connection: Connection, quota: Quota, size: int) -> None:
        # Or two texts of one source would each find room for one; at midnight the second's first
        # name is another's second.
        dialect.lock(connection, "quota", *quota.sources[:2])
        values = {**_named(quota.sources), "now": self._now()}
        ((texts, kept),) = self._kept(len(quota.sources)).rows(connection, values)
        too_many = quota.texts and texts + 1 > quota.texts
        too_large = quota.size and (kept or 0) + size > quota.size
        if too_many or too_large:
            raise QuotaError


def _named(sources: Sequence[bytes]) -> dict[str, bytes]:
    return {f"source{place}": source for place, source in enumerate(sources)}


def _kept_by(engine: Engine, names: int) -> Statement:
    """How many live texts a source has that goes by so many names, and their bytes; none: no number."""
    any_name = text.c.source.in_([bindparam(name) for name in _named([b""] * names)])
    return Statement(engine, select(func.count(), func.sum(text.c.size)).where(any_name, live))


def _find_key(connection: Connection, repeatable: Repeatable) -> Row[str, int, bytes] | None:
    found = connection.execute(_of_key, {"key_hash": hash_secret(repeatable.key)}).one_or_none()
    if found and not hmac.compare_digest(found.request_hash, repeatable.request_hash):
        raise KeyReusedError
    return found
