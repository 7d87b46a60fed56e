"""Update a restored backup with what has happened to its codes since.

A code that was free in the backup may have been leased since, and its owner
must never find a stranger's text under it; a text that was live in it may have been deleted since, and
must not come back. There are two ways:

``merge_from_old``: the replaced database exists and is intact. Its leases that are not
in the backup are inserted as wiped texts with their own ``free_at``; every text of the
backup gets the state that it has there. So no code is free earlier than it would have been.

``quarantine_all``: the replaced database is lost. Any code may have been leased until a moment ago, for the
longest lifetime, so all of them cool down until the last of those leases would have cooled down. They
become wiped texts like any other that cools down: 7.3 million rows, 0.7 GB and some seconds,
and in return no other module needs to know of it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    MetaData,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from saver.database import Database, sqlite_files
from saver.database.tables import code as pool
from saver.database.tables import sweeper, text
from saver.store import sweep
from saver.store.base import NO_HASH
from saver.store.predicates import is_live
from saver.store.wipe import SECRET_COLUMNS, WIPED, EndReason

_BATCH = 10_000

# Only these columns are read of the old database, so it may have another schema.
_old = text.to_metadata(MetaData(), schema=sqlite_files.OLD).alias("before")
_same_code = _old.c.code == text.c.code
_same_lease = and_(_same_code, _old.c.owner_hash == text.c.owner_hash)


def merge_from_old(database: Database, connection: Connection, now: int) -> int:
    """Merge the leases of the old database, as of ``now`` in UTC seconds; return how many were new."""
    connection.execute(_WIPE_ENDED, {"now": now})
    connection.execute(_UPDATE_SAME_LEASES)
    connection.execute(_DELETE_OTHER_LEASES)
    connection.execute(_REMOVE_FROM_POOL)
    merged = connection.execute(_INSERT_AS_COOLING, {"now": now}).rowcount
    _wipe_expired(database, connection, now)
    return merged


def quarantine_all(database: Database, connection: Connection, now: int, until: int, cool_down: int) -> None:
    """Let every code cool down at least until ``until``; times in UTC seconds, ``cool_down`` in seconds.

    One-time texts are wiped, because they may have been read. If the backup is older than the
    cool-down, open texts are wiped too: an owner may have deleted one, and its code may have been
    leased again to somebody who would now see it. A sealed text is unreadable without its password.
    """
    gone: ColumnElement[bool] = text.c.once
    if now >= _made_at_least(connection) + cool_down:
        gone = or_(gone, text.c.seal.is_(None))
    connection.execute(_end_where(and_(is_live, gone)), {"now": now})
    connection.execute(_EXTEND_COOL_DOWN, {"until": until})
    connection.execute(_COOL_DOWN_ALL_FREE, {"now": now, "until": until})
    connection.execute(delete(pool))
    _wipe_expired(database, connection, now)


def _made_at_least(connection: Connection) -> int:
    """Return the latest time in the backup (UTC seconds): it was made then or later."""
    beat = connection.scalar(select(func.max(sweeper.c.beat_at)))
    saved = connection.scalar(select(func.max(text.c.saved_at)))
    return max(beat or 0, saved or 0)


def _wipe_expired(database: Database, connection: Connection, now: int) -> None:
    while sweep.sweep(database, connection, now, _BATCH).more:
        pass


def _end_where(condition: ColumnElement[bool]) -> Update:
    values: dict[str, Any] = {
        **WIPED,
        "expires_at": bindparam("now"),
        "ended": EndReason.DELETED.value,
    }
    return update(text).where(condition).values(values)


# Texts that are live in the backup, whose leases have ended.
_WIPE_ENDED = _end_where(and_(is_live, ~exists().where(_same_lease).correlate(text)))

_wiped = _old.c.body.is_(None)
_UPDATE_SAME_LEASES = (
    update(text)
    .where(_same_lease)
    .values(
        expires_at=_old.c.expires_at,
        free_at=case((_old.c.free_at > text.c.free_at, _old.c.free_at), else_=text.c.free_at),
        claim_hash=_old.c.claim_hash,
        ended=_old.c.ended,
        **{name: case((_wiped, null()), else_=text.c[name]) for name in SECRET_COLUMNS},
    )
)
_DELETE_OTHER_LEASES = delete(text).where(
    exists().where(_same_code, _old.c.owner_hash != text.c.owner_hash).correlate(text)
)
_REMOVE_FROM_POOL = delete(pool).where(pool.c.code.in_(select(_old.c.code)))
_lives_there = and_(_old.c.body.is_not(None), _old.c.expires_at > bindparam("now"))
_INSERT_AS_COOLING = insert(text).from_select(
    ["code", "owner_hash", "saved_at", "expires_at", "free_at", "ended"],
    select(
        _old.c.code,
        _old.c.owner_hash,
        _old.c.saved_at,
        case((_lives_there, bindparam("now")), else_=_old.c.expires_at),
        _old.c.free_at,
        # For the status that its owner asks for.
        case((_lives_there, EndReason.DELETED.value), else_=_old.c.ended),
    ).where(~exists().where(_same_code).correlate(_old)),
)

_EXTEND_COOL_DOWN = update(text).where(text.c.free_at < bindparam("until")).values(free_at=bindparam("until"))
_COOL_DOWN_ALL_FREE = insert(text).from_select(
    ["code", "owner_hash", "expires_at", "free_at"],
    select(pool.c.code, literal(NO_HASH, LargeBinary), bindparam("now"), bindparam("until")).order_by(
        pool.c.code
    ),
)
