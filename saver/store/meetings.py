"""The table ``meeting``: each message is one transaction, whichever process and server it comes to."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)

from saver.codes import Code
from saver.database import Database
from saver.database.statements import Read
from saver.database.tables import meeting
from saver.meetings import (
    LIFETIME_SECONDS,
    MAX_NUMBER,
    Meeting,
    NoMeetingError,
    NoNumberError,
    PollResult,
    Role,
)
from saver.store.base import Store

# The columns are in the order of the fields of ``Meeting``.
_meetings = select(*(meeting.c[name] for name in Meeting.__dataclass_fields__))
_is_there = meeting.c.expires_at > bindparam("now")
_find = _meetings.where(meeting.c.number == bindparam("number"), _is_there, ~meeting.c.ended)
_find_to_write = _find.with_for_update()
_find_of_maker = _meetings.where(meeting.c.maker_hash == bindparam("maker_hash"), _is_there)
_update = update(meeting).where(meeting.c.number == bindparam("wanted"))
_delete_expired = delete(meeting).where(meeting.c.expires_at <= bindparam("now"))
# One, and what follows each number that is taken: the smallest of these that is free.
_candidates = union_all(
    select(literal_column("1").label("number")), select((meeting.c.number + 1).label("number"))
).subquery()
_smallest_free = select(func.min(_candidates.c.number)).where(
    _candidates.c.number.not_in(select(meeting.c.number))
)


def delete_expired(database: Database, connection: Connection, now: int) -> None:
    """Delete the meetings that have expired by ``now`` (UTC seconds), so that their numbers are free."""
    # Two transactions that delete the same rows in another order would wait for each other.
    database.lock(connection, "meeting")
    connection.execute(_delete_expired, {"now": now})


def delete_all(connection: Connection) -> None:
    """Delete every meeting: after a restore the two clients no longer know where they are."""
    connection.execute(delete(meeting))


class MeetingStore:
    """The messages of live transfers. Each raises NoMeetingError if it does not fit, and StorageError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._find = Read(store.database, _find)

    def open(self, token: bytes, role: Role) -> Meeting:
        """Open a meeting under the smallest free number, or find that of the same token.

        Raises NoNumberError.
        """
        maker_hash = _hash(token)

        def work(connection: Connection) -> Meeting:
            now = self._store.now()
            delete_expired(self._store.database, connection, now)
            found = connection.execute(_find_of_maker, {"maker_hash": maker_hash, "now": now}).one_or_none()
            if found:
                return Meeting(*found).open_again(role)
            number = connection.execute(_smallest_free).scalar_one()
            if number > MAX_NUMBER:
                raise NoNumberError
            expires_at = math.ceil(self._store.clock()) + LIFETIME_SECONDS
            opened = Meeting(number, role, maker_hash, expires_at)
            connection.execute(insert(meeting).values(asdict(opened)))
            return opened

        return self._store.write(work)

    def offer(self, number: int, token: bytes, session: bytes, share: bytes) -> int:
        """Store the offer of the maker; return how many tries are left."""
        changed = self._change(number, lambda found: found.offer(_hash(token), session, share))
        if changed.ended:
            raise NoMeetingError
        return changed.tries_left

    def join(self, number: int) -> Meeting:
        """Return a meeting whose offer has no answer yet."""
        return self._read(number).join()

    def answer(self, number: int, token: bytes, session: bytes, share: bytes, tag: bytes) -> None:
        """Store the answer of a joiner."""
        self._change(number, lambda found: found.answer(_hash(token), session, share, tag))

    def poll(self, number: int, token: bytes) -> tuple[Meeting, PollResult]:
        """Return a meeting, and what the client with this token sees of it."""
        found = self._read(number)
        return found, found.poll(_hash(token))

    def confirm(self, number: int, token: bytes, session: bytes, tag: bytes) -> None:
        """Store the confirmation of the maker."""
        self._change(number, lambda found: found.confirm(_hash(token), session, tag))

    def deliver(self, number: int, token: bytes, code: Code) -> None:
        """Store the code of the text that the sender has written."""
        self._change(number, lambda found: found.deliver(_hash(token), code))

    def close(self, number: int, token: bytes) -> None:
        """End a meeting."""
        self._change(number, lambda found: found.close(_hash(token)))

    def _read(self, number: int) -> Meeting:
        row = self._find.one({"number": number, "now": self._store.now()})
        if row is None:
            raise NoMeetingError
        return Meeting(*row)

    def _change(self, number: int, message: Callable[[Meeting], Meeting]) -> Meeting:
        def work(connection: Connection) -> Meeting:
            now = self._store.now()
            row = connection.execute(_find_to_write, {"number": number, "now": now}).one_or_none()
            if row is None:
                raise NoMeetingError
            changed = message(Meeting(*row))
            connection.execute(_update.values(asdict(changed)), {"wanted": number})
            return changed

        return self._store.write(work)


def _hash(token: bytes) -> bytes:
    """Return what is stored of a token: it is random, so a plain hash is enough."""
    return hashlib.sha256(token).digest()
