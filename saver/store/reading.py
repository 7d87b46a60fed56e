"""Load: one read, one derivation if a password came, and the text or the one miss.

A one-time text is claimed: the first claim wins in a transaction, the text then
lives for CLAIM_SECONDS and only for that claim, and is gone when the claim is
acknowledged or that time is over. So a lost answer can be asked for again, and
nobody else reads it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, null, select, update

from saver import seal
from saver.codes import Code
from saver.database.statements import Read
from saver.database.tables import text
from saver.database.writer import NotReplicatedError, StorageError
from saver.seal import Keys
from saver.store.base import Dependencies, NoTextError, StoreBase, hash_secret
from saver.store.sweep import is_live, live
from saver.store.wipe import READ, end

CLAIM_SECONDS = 120
_NO_HASH = bytes(32)
_REFUSALS_KEPT = 3_600


class _Live(NamedTuple):
    seal: str | None
    proof_hash: bytes | None
    owner_hash: bytes
    claim_hash: bytes | None
    once: bool
    expires_at: int
    free_at: int
    body: str | None


_here = text.c.code == bindparam("code")
_is_plain = and_(text.c.proof_hash.is_(None), ~text.c.once)
# The body of a sealed or one-time text is fetched only when it may be read:
# reading it would take longer the larger it is, and so tell that there is one.
_find = select(
    text.c.seal,
    text.c.proof_hash,
    text.c.owner_hash,
    text.c.claim_hash,
    text.c.once,
    text.c.expires_at,
    text.c.free_at,
    case((_is_plain, text.c.body), else_=null()).label("body"),
).where(_here, live)
# The same lease as was found: a code without rest may be under another text by now.
_same = and_(_here, text.c.owner_hash == bindparam("owner_hash"), live)
_find_body = select(text.c.body).where(_same)
# Both are read to be written: of two claims at once the second one waits for the first.
_to_put_back = [
    text.c[name]
    for name in (
        "body",
        "seal",
        "proof_hash",
        "source",
        "network",
        "claim_hash",
        "expires_at",
        "free_at",
        "ended",
    )
]
_find_claimable = select(*_to_put_back).where(_same).with_for_update()
_put_back = (
    update(text)
    .where(text.c.code == bindparam("wanted"), text.c.owner_hash == bindparam("lease"))
    .values({column.name: bindparam(column.name) for column in _to_put_back})
)
_claim = (
    update(text)
    .where(text.c.code == bindparam("wanted"))
    .values(claim_hash=bindparam("claim"), expires_at=bindparam("until"), free_at=bindparam("rested"))
)
_find_claimed = select(text.c.claim_hash, is_live).where(_here).with_for_update()


@dataclass(frozen=True, slots=True)
class LoadedText:
    """A text that was found. ``expires_at`` is in UTC seconds; ``sealed``: ``text`` is the JWE."""

    text: str
    expires_at: int
    once: bool
    sealed: bool


class Load(StoreBase):
    """The deeds of readers."""

    def __init__(self, seams: Dependencies) -> None:
        super().__init__(seams)
        self._find = Read(seams.engine, _find)
        self._find_body = Read(seams.engine, _find_body)

    def load(
        self,
        code: Code,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        claim: str | None = None,
        only_sealed: bool = False,
    ) -> LoadedText:
        """The text under a code, opened with ``password``, still sealed with ``proof`` (32 bytes).

        With ``only_sealed`` an open text is as good as none. Takes as long whether there
        is a text or not: one read, one derivation if a password was shown, one note where
        there is nothing to give. Raises NoTextError, and BusyError while too many
        passwords are being derived.
        """
        row = self._find.one({"code": code, "now": self._now()})
        found = _Live(*row) if row else None
        if found and only_sealed and found.proof_hash is None:
            found = None
        if found and found.body is not None:
            self._note_loaded(found)
            return LoadedText(found.body, found.expires_at, once=False, sealed=False)
        keys = self._derive(code, found, password)
        proof = keys.proof if keys else proof
        if found is None or not _opens(found, proof) or not _is_claimable(found, claim):
            raise self._refuse(code, found, tried=proof is not None)
        if found.once:
            body, expires_at = self._claimed(code, found, claim)
        else:
            body, expires_at = self._body(code, found), found.expires_at
        self._note_loaded(found)
        sealed = found.proof_hash is not None
        if sealed and keys is not None:
            body, sealed = seal.decrypt(body, keys.key), False
        return LoadedText(body, expires_at, once=bool(found.once), sealed=sealed)

    def ack(self, code: Code, claim: str) -> None:
        """A one-time text has arrived and is gone now; once more is no error. Raises NoTextError."""
        claimed = hash_secret(claim)

        def gone(connection: Connection) -> bool:
            found = connection.execute(_find_claimed, {"code": code, "now": self._now()}).one_or_none()
            mine = hmac.compare_digest(claimed, (found.claim_hash if found else None) or _NO_HASH)
            if found and mine and found.live:
                end(connection, code, now=self._clock(), rest=self._rest, why=READ)
            return bool(found and mine)

        if not self._writer.run(gone):
            raise self._not_found(code, self._header(code))

    def _derive(self, code: Code, found: _Live | None, password: str | None) -> Keys | None:
        if password is None:
            return None
        return self._deriver.derive(password, self._seal_of(code, found.seal if found else None))

    def _claimed(self, code: Code, found: _Live, claim: str | None) -> tuple[str, int]:
        """Claim a one-time text: its body, and until when it may be read again."""
        mine = hash_secret(claim) if claim else None
        before: dict[str, Any] = {}

        def work(connection: Connection) -> tuple[str, int] | None:
            # What an earlier try saw may be another's by now.
            before.clear()
            now = self._now()
            same = {"code": code, "owner_hash": found.owner_hash, "now": now}
            row = connection.execute(_find_claimable, same).one_or_none()
            if row is None or row.claim_hash not in (None, mine):
                return None
            before.update(row._mapping)
            if mine is None:
                # Whoever cannot say that it arrived gets a single read.
                end(connection, code, now=self._clock(), rest=self._rest, why=READ)
                return row.body, now
            until = row.expires_at if row.claim_hash else min(row.expires_at, now + CLAIM_SECONDS)
            rested = {"wanted": code, "claim": mine, "until": until, "rested": until + self._rest}
            connection.execute(_claim, rested)
            return row.body, until

        try:
            read = self._writer.run(work)
        except NotReplicatedError:
            # Nobody has read it, so nobody's time to read it may have begun.
            if before:
                self._put_back(code, found, before)
            raise
        if read is None:
            raise self._refuse(code, found)
        return read

    def _put_back(self, code: Code, found: _Live, before: Mapping[str, Any]) -> None:
        values = {"wanted": code, "lease": found.owner_hash, **before}
        with suppress(StorageError):
            self._writer.run(lambda connection: connection.execute(_put_back, values).rowcount)

    def _body(self, code: Code, found: _Live) -> str:
        row = self._find_body.one({"code": code, "owner_hash": found.owner_hash, "now": self._now()})
        if row is None:
            raise self._refuse(code, None)
        body: str = row[0]
        return body

    def _header(self, code: Code) -> str | None:
        row = self._find.one({"code": code, "now": self._now()})
        return _Live(*row).seal if row else None

    def _note_loaded(self, found: _Live) -> None:
        self._receipts.loaded(found.owner_hash, self._now(), found.free_at)

    def _decoy_receipt_key(self, code: Code) -> bytes:
        # Keyed, so that the notes do not tell which codes were asked for.
        return hmac.digest(self._secret, b"nobody " + code.encode(), hashlib.sha256)

    def _refuse(self, code: Code, found: _Live | None, *, tried: bool = False) -> NoTextError:
        """Note a refusal; only one that ``tried`` a password is told to the sender."""
        # Whoever asks first without one learns what to derive with: that is no try. It and a miss
        # without a text are noted too, under a name that nobody asks for: the same work.
        told = found if tried else None
        name = told.owner_hash if told else self._decoy_receipt_key(code)
        self._receipts.refused(name, told.free_at if told else self._now() + _REFUSALS_KEPT)
        return self._not_found(code, found.seal if found else None)


def _opens(found: _Live, proof: bytes | None) -> bool:
    shown = seal.hash_proof(proof) if proof is not None else _NO_HASH
    return hmac.compare_digest(shown, found.proof_hash or _NO_HASH) or found.proof_hash is None


def _is_claimable(found: _Live, claim: str | None) -> bool:
    """Whether a claim is worth a transaction; that transaction decides."""
    if found.claim_hash is None:
        return True
    return claim is not None and hmac.compare_digest(found.claim_hash, hash_secret(claim))
