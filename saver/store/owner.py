"""What the owner of a text may do with its token, and the operator without one."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, select, update

from saver.codes import Code
from saver.database.tables import text
from saver.store.base import NO_HASH, Store, hash_secret
from saver.store.predicates import live_column
from saver.store.wipe import EndReason, wipe_now
from saver.texts import LifetimePolicy

_here = text.c.code == bindparam("code")
FIND_OWNED = select(
    text.c.owner_hash,
    text.c.seal,
    text.c.claim_hash,
    text.c.saved_at,
    text.c.expires_at,
    text.c.ended,
    live_column,
).where(_here)
_extend = (
    update(text)
    .where(text.c.code == bindparam("wanted"))
    .values(expires_at=bindparam("until"), free_at=bindparam("reusable_at"))
)

_Owned = Row[bytes, str | None, bytes | None, int, int, str | None, bool]


@dataclass(frozen=True, slots=True)
class Status:
    """The sender's receipt; times in UTC seconds.

    ``state`` is ``waiting`` or ``loaded`` while the text lives, afterwards ``read``
    (a one-time text), ``deleted`` or ``expired``.
    """

    state: str
    first_loaded_at: int | None
    refused: int
    expires_at: int


class TextOwner:
    """The operations of owners and the operator. A wrong token is not found, whatever is under the code."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def status(self, code: Code, owner_token: str) -> Status:
        """The receipt, until the code is free again. Raises NoTextError and ReceiptsError."""
        found = self._owned(code, owner_token)
        receipt = self._store.receipts.get(found.owner_hash)
        return Status(
            _state(found, receipt.first_loaded_at), receipt.first_loaded_at, receipt.refused, found.expires_at
        )

    def extend(self, code: Code, owner_token: str, lifetime: int, policy: LifetimePolicy) -> int:
        """Extend a live text to ``lifetime`` seconds from now, but never shorten it; return when it expires.

        Raises NoTextError, also for a one-time text that is being read, and InvalidLifetimeError.
        """
        found = self._owned(code, owner_token)
        if not found.live or found.claim_hash:
            raise self._store.not_found(code, found.seal)
        until = math.ceil(self._store.clock()) + policy.lifetime(lifetime, sealed=found.seal is not None)

        def work(connection: Connection) -> int | None:
            now = self._found(connection, code, to_write=True)
            if now is None or now.owner_hash != found.owner_hash or not now.live or now.claim_hash:
                return None
            later = max(until, now.expires_at)
            connection.execute(
                _extend, {"wanted": code, "until": later, "reusable_at": self._store.reusable_at(later)}
            )
            return int(later)

        extended = self._store.write(work)
        if extended is None:
            raise self._store.not_found(code, None)
        self._store.receipts.postpone_drop(found.owner_hash, self._store.reusable_at(extended))
        return extended

    def delete(self, code: Code, owner_token: str) -> None:
        """End a text now; its code cools down. Repeating it is no error. Raises NoTextError."""
        found = self._owned(code, owner_token)
        # Also if it has ended: the answer promises that it has.
        self._end(code, lambda now: now.owner_hash == found.owner_hash)

    def remove(self, code: Code, saved_until: int | None = None) -> bool:
        """End a text for the operator and return whether there was one.

        A text saved after ``saved_until`` (UTC seconds) is left: codes are used again,
        and a report may be about the text before.
        """
        return self._end(code, lambda now: saved_until is None or now.saved_at <= saved_until)

    def _end(self, code: Code, is_meant: Callable[[_Owned], bool]) -> bool:
        def work(connection: Connection) -> bool:
            now = self._found(connection, code, to_write=True)
            ends = now is not None and now.live and is_meant(now)
            if ends:
                wipe_now(self._store, connection, code, EndReason.DELETED)
            return ends

        return self._store.write(work)

    def _found(self, connection: Connection, code: Code, *, to_write: bool = False) -> _Owned | None:
        statement = FIND_OWNED.with_for_update() if to_write else FIND_OWNED
        return connection.execute(statement, {"code": code, "now": self._store.now()}).one_or_none()

    def _owned(self, code: Code, owner_token: str) -> _Owned:
        token_hash = hash_secret(owner_token)
        found = self._store.read(lambda connection: self._found(connection, code))
        if not hmac.compare_digest(token_hash, found.owner_hash if found else NO_HASH) or found is None:
            raise self._store.not_found(code, found.seal if found and found.live else None)
        return found


def _state(found: _Owned, first_loaded_at: int | None) -> str:
    if found.live:
        return "waiting" if first_loaded_at is None else "loaded"
    return found.ended or (EndReason.READ.value if found.claim_hash else "expired")
