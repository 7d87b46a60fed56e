"""Load: one read, one derivation if a password came, and the text or the uniform not-found error.

A one-time text is claimed: the first claim wins in a transaction, the text then
lives for CLAIM_SECONDS and only for that claim, and is gone when the claim is
acknowledged or that time is over. So a lost response can be requested again, and
nobody else reads the text.
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
from saver.database import NotReplicatedError, StorageError
from saver.database.statements import Read
from saver.database.tables import text
from saver.seal import Keys
from saver.store.base import NO_HASH, NoTextError, Store, hash_secret
from saver.store.bodies import StoredBodies
from saver.store.predicates import is_live, live_column
from saver.store.wipe import SECRET_COLUMNS, EndReason, wipe_now

CLAIM_SECONDS = 120
# In seconds: how long a refusal is counted for a code without a text.
_DECOY_RECEIPT_SECONDS = 3_600


class _Live(NamedTuple):
    seal: str | None
    proof_mac: bytes | None
    owner_hash: bytes
    claim_hash: bytes | None
    once: bool
    expires_at: int
    free_at: int
    key_id: bytes | None
    body: bytes | None


_here = text.c.code == bindparam("code")
_is_plain = and_(text.c.proof_mac.is_(None), ~text.c.once)
# The body of a sealed or one-time text is fetched only when it may be read:
# reading it would take longer the larger it is, and so tell that there is one.
_open_body = case((_is_plain, text.c.body), else_=null()).label("body")
FIND_LIVE = select(*(_open_body if name == "body" else text.c[name] for name in _Live._fields)).where(
    _here, is_live
)
# The same lease as was found: without a cool-down the code may be leased for another text by now.
_same = and_(_here, text.c.owner_hash == bindparam("owner_hash"), is_live)
_find_body = select(text.c.body).where(_same)
# With its row lock, so that of two claims at once the second one waits for the first.
_changed_by_claim = [
    text.c[name] for name in (*SECRET_COLUMNS, "claim_hash", "expires_at", "free_at", "ended")
]
_find_claimable = select(*_changed_by_claim).where(_same).with_for_update()
_restore = (
    update(text)
    .where(text.c.code == bindparam("wanted"), text.c.owner_hash == bindparam("lease"))
    .values({column.name: bindparam(column.name) for column in _changed_by_claim})
)
_claim = (
    update(text)
    .where(text.c.code == bindparam("wanted"))
    .values(claim_hash=bindparam("claim"), expires_at=bindparam("until"), free_at=bindparam("reusable_at"))
)
FIND_CLAIMED = select(text.c.claim_hash, live_column).where(_here).with_for_update()


@dataclass(frozen=True, slots=True)
class LoadedText:
    """A text that was found. ``expires_at`` is in UTC seconds; ``sealed``: ``text`` is the JWE."""

    text: str
    expires_at: int
    once: bool
    sealed: bool


class TextReader:
    """The operations of readers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bodies = StoredBodies(store.keyring, store.clock)
        self.find_live = Read(store.database, FIND_LIVE)
        self.find_body = Read(store.database, _find_body)

    def load(
        self,
        code: Code,
        password: str | None = None,
        *,
        proof: bytes | None = None,
        claim: str | None = None,
        only_sealed: bool = False,
    ) -> LoadedText:
        """Return the text under a code, opened with ``password``, still sealed with ``proof`` (32 bytes).

        With ``only_sealed`` an open text is as good as none. Takes as long whether there
        is a text or not: one read, one derivation if a password came, one receipt if
        nothing is found. Raises NoTextError, and BusyError while too many
        passwords are being derived.
        """
        found = self._find(code)
        if found and only_sealed and found.proof_mac is None:
            found = None
        if found and found.body is not None:
            body = self._bodies.decrypt(code, found, found.body)
            if body is not None:
                self._note_loaded(found)
                return LoadedText(body, found.expires_at, once=False, sealed=False)
            found = None
        keys = self._derive(code, found, password)
        proof = keys.proof if keys else proof
        if found is None or not self._bodies.opens(found, proof) or not _is_claimable(found, claim):
            raise self._refuse(code, found, tried=proof is not None)
        if found.once:
            body, expires_at = self._claimed(code, found, claim, proof)
        else:
            body, expires_at = self._body(code, found, proof), found.expires_at
        self._note_loaded(found)
        sealed = found.proof_mac is not None
        if sealed and keys is not None:
            body, sealed = seal.decrypt(body, keys.key), False
        return LoadedText(body, expires_at, once=bool(found.once), sealed=sealed)

    def ack(self, code: Code, claim: str) -> None:
        """A one-time text has arrived and is gone now; once more is no error. Raises NoTextError."""
        claimed = hash_secret(claim)

        def gone(connection: Connection) -> bool:
            found = connection.execute(FIND_CLAIMED, {"code": code, "now": self._store.now()}).one_or_none()
            mine = hmac.compare_digest(claimed, (found.claim_hash if found else None) or NO_HASH)
            if found and mine and found.live:
                wipe_now(self._store, connection, code, EndReason.READ)
            return bool(found and mine)

        if not self._store.write(gone):
            raise self._store.not_found(code, self._header(code))

    def _derive(self, code: Code, found: _Live | None, password: str | None) -> Keys | None:
        if password is None:
            return None
        return self._store.deriver.derive(password, self._store.seal_of(code, found.seal if found else None))

    def _claimed(self, code: Code, found: _Live, claim: str | None, proof: bytes | None) -> tuple[str, int]:
        """Claim a one-time text: its body, and until when it may be read again."""
        mine = hash_secret(claim) if claim else None
        before: dict[str, Any] = {}

        def work(connection: Connection) -> tuple[str, int] | None:
            # What an earlier attempt saw may be outdated.
            before.clear()
            now = self._store.now()
            same = {"code": code, "owner_hash": found.owner_hash, "now": now}
            row = connection.execute(_find_claimable, same).one_or_none()
            if row is None or row.claim_hash not in (None, mine):
                return None
            # Before anything is changed: a text that cannot be read is not used up.
            body = self._bodies.decrypt(code, found, row.body, proof)
            if body is None:
                return None
            before.update(row._mapping)
            if mine is None:
                # A reader without a claim cannot acknowledge, so this read is the only one.
                wipe_now(self._store, connection, code, EndReason.READ)
                return body, now
            until = row.expires_at if row.claim_hash else min(row.expires_at, now + CLAIM_SECONDS)
            reusable_at = self._store.reusable_at(until)
            values = {"wanted": code, "claim": mine, "until": until, "reusable_at": reusable_at}
            connection.execute(_claim, values)
            return body, until

        try:
            read = self._store.write(work)
        except NotReplicatedError:
            # Nobody has read it, so the time to read it must not have begun.
            if before:
                self._restore(code, found, before)
            raise
        if read is None:
            raise self._refuse(code, found)
        return read

    def _restore(self, code: Code, found: _Live, before: Mapping[str, Any]) -> None:
        values = {"wanted": code, "lease": found.owner_hash, **before}
        with suppress(StorageError):
            self._store.write(lambda connection: connection.execute(_restore, values).rowcount)

    def _body(self, code: Code, found: _Live, proof: bytes | None) -> str:
        row = self.find_body.one({"code": code, "owner_hash": found.owner_hash, "now": self._store.now()})
        body = self._bodies.decrypt(code, found, row[0], proof) if row else None
        if body is None:
            raise self._refuse(code, None)
        return body

    def _header(self, code: Code) -> str | None:
        found = self._find(code)
        return found.seal if found else None

    def _find(self, code: Code) -> _Live | None:
        row = self.find_live.one({"code": code, "now": self._store.now()})
        return _Live._make(row) if row else None

    def _note_loaded(self, found: _Live) -> None:
        self._store.receipts.record_load(found.owner_hash, self._store.now(), found.free_at)

    def _decoy_receipt_key(self, code: Code) -> bytes:
        # Keyed, so that the receipts do not reveal which codes were looked up.
        return hmac.digest(self._store.secret, b"nobody " + code.encode(), hashlib.sha256)

    def _refuse(self, code: Code, found: _Live | None, *, tried: bool = False) -> NoTextError:
        """Count a refusal; the sender sees only those that ``tried`` a password or proof."""
        # A first look-up without one asks for the parameters and is no attempt. It and a miss are
        # counted too, under a key that nobody reads: the same work in every case.
        counted = found if tried else None
        key = counted.owner_hash if counted else self._decoy_receipt_key(code)
        self._store.receipts.record_refusal(
            key, counted.free_at if counted else self._store.now() + _DECOY_RECEIPT_SECONDS
        )
        return self._store.not_found(code, found.seal if found else None)


def _is_claimable(found: _Live, claim: str | None) -> bool:
    """Whether a claim is worth a transaction; that transaction decides."""
    if found.claim_hash is None:
        return True
    return claim is not None and hmac.compare_digest(found.claim_hash, hash_secret(claim))
