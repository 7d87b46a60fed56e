"""What the owner of a text may do with its token, and the operator without one."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, select, update

from saver.codes import Code
from saver.database.tables import text
from saver.store.base import StoreBase, hash_secret
from saver.store.sweep import is_live
from saver.store.wipe import DELETED, end
from saver.texts import LifetimePolicy

_NO_HASH = bytes(32)

_here = text.c.code == bindparam("code")
_find = select(
    text.c.owner_hash,
    text.c.seal,
    text.c.claim_hash,
    text.c.saved_at,
    text.c.expires_at,
    text.c.ended,
    is_live,
).where(_here)
_extend = (
    update(text)
    .where(text.c.code == bindparam("wanted"))
    .values(expires_at=bindparam("until"), free_at=bindparam("rested"))
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


class Owner(StoreBase):
    """The deeds of owners. A wrong token is the one miss, whatever is under the code."""

    def status(self, code: Code, owner_token: str) -> Status:
        """The receipt, until the code is free again. Raises NoTextError and ReceiptsError."""
        found = self._owned(code, owner_token)
        receipt = self._receipts.of(found.owner_hash)
        return Status(
            _state(found, receipt.first_loaded_at), receipt.first_loaded_at, receipt.refused, found.expires_at
        )

    def extend(self, code: Code, owner_token: str, lifetime: int, policy: LifetimePolicy) -> int:
        """Extend a live text to ``lifetime`` seconds from now, but never shorten it; return when it expires.

        Raises NoTextError, also for a one-time text that is being read, and InvalidLifetimeError.
        """
        found = self._owned(code, owner_token)
        if not found.live or found.claim_hash:
            raise self._not_found(code, found.seal)
        until = math.ceil(self._clock()) + policy.lifetime(lifetime, sealed=found.seal is not None)

        def work(connection: Connection) -> int | None:
            now = self._found(connection, code, to_write=True)
            if now is None or now.owner_hash != found.owner_hash or not now.live or now.claim_hash:
                return None
            later = max(until, now.expires_at)
            connection.execute(_extend, {"wanted": code, "until": later, "rested": later + self._rest})
            return int(later)

        extended = self._writer.run(work)
        if extended is None:
            raise self._not_found(code, None)
        self._receipts.keep(found.owner_hash, extended + self._rest)
        return extended

    def delete(self, code: Code, owner_token: str) -> None:
        """End a text now; its code rests. Once more is no error. Raises NoTextError."""
        found = self._owned(code, owner_token)
        # Also where it has ended: that it has is vouched for.
        self._end(code, lambda now: now.owner_hash == found.owner_hash)

    def remove(self, code: Code, saved_until: int | None = None) -> bool:
        """End a text by order of the operator; whether there was one.

        ``saved_until`` (UTC seconds) spares a text saved later: codes are used again,
        and a report may be about the text before.
        """
        return self._end(code, lambda now: saved_until is None or now.saved_at <= saved_until)

    def _end(self, code: Code, meant: Callable[[_Owned], bool]) -> bool:
        def work(connection: Connection) -> bool:
            now = self._found(connection, code, to_write=True)
            ends = now is not None and now.live and meant(now)
            if ends:
                end(connection, code, now=self._clock(), rest=self._rest, why=DELETED)
            return ends

        return self._writer.run(work)

    def _found(self, connection: Connection, code: Code, *, to_write: bool = False) -> _Owned | None:
        asked = _find.with_for_update() if to_write else _find
        return connection.execute(asked, {"code": code, "now": self._now()}).one_or_none()

    def _owned(self, code: Code, owner_token: str) -> _Owned:
        shown = hash_secret(owner_token)
        found = self._read(lambda connection: self._found(connection, code))
        if not hmac.compare_digest(shown, found.owner_hash if found else _NO_HASH) or found is None:
            raise self._not_found(code, found.seal if found and found.live else None)
        return found


def _state(found: _Owned, first_loaded_at: int | None) -> str:
    if found.live:
        return "waiting" if first_loaded_at is None else "loaded"
    return found.ended or ("read" if found.claim_hash else "expired")
