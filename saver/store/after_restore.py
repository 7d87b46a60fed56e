"""Update a restored backup with what has happened to its codes since.

A code that was free in the backup may have been leased since, and the person who has it must never get
another person's text. A text that was live in the backup may have been deleted since, and must not be
served again. There are two ways:

``merge_from_old``: the replaced database exists and is intact. Its leases that are not
in the backup are inserted as wiped texts with their own ``free_at``; every text of the
backup gets the state that it has there. So no code is free earlier than it would have been.

``quarantine_all``: the replaced database is lost. Any code may have been leased until a moment ago, for the
longest lifetime, so all of them cool down until the last of those leases would have cooled down. They
become wiped texts like any other that cools down: 7.3 million rows, 0.7 GB and some seconds,
and in return no other module needs to know of it.

Both delete the meetings of the backup: a live transfer is over by then, or is not where its clients left it.
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
from saver.store.meetings import delete_all
from saver.store.predicates import is_live
from saver.store.wipe import SECRET_COLUMNS, WIPED, EndReason

_BATCH = 10_000

# Only these columns are read of the old database, so it may have another schema.
_old = text.to_metadata(MetaData(), schema=sqlite_files.OLD).alias("old_text")
_same_code = _old.c.code == text.c.code
_same_lease = and_(_same_code, _old.c.owner_hash == text.c.owner_hash)


def merge_from_old(database: Database, connection: Connection, now: int) -> int:
    """Merge the leases of the old database, as of ``now`` in UTC seconds; return how many were new."""
    delete_all(connection)
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
    delete_all(connection)
    to_wipe: ColumnElement[bool] = text.c.once
    if now >= _earliest_backup_time(connection) + cool_down:
        to_wipe = or_(to_wipe, text.c.seal.is_(None))
    connection.execute(_wipe_where(and_(is_live, to_wipe)), {"now": now})
    connection.execute(_EXTEND_COOL_DOWN, {"until": until})
    connection.execute(_COOL_DOWN_ALL_FREE, {"now": now, "until": until})
    connection.execute(delete(pool))
    _wipe_expired(database, connection, now)


def _earliest_backup_time(connection: Connection) -> int:
    """Return the latest time in the backup (UTC seconds): the backup is not older than that."""
    heartbeat = connection.scalar(select(func.max(sweeper.c.beat_at)))
    saved = connection.scalar(select(func.max(text.c.saved_at)))
    return max(heartbeat or 0, saved or 0)


def _wipe_expired(database: Database, connection: Connection, now: int) -> None:
    while sweep.sweep(database, connection, now, _BATCH).more:
        pass


def _wipe_where(condition: ColumnElement[bool]) -> Update:
    values: dict[str, Any] = {
        **WIPED,
        "expires_at": bindparam("now"),
        "ended": EndReason.DELETED.value,
    }
    return update(text).where(condition).values(values)


# Texts that are live in the backup, whose leases have ended.
_WIPE_ENDED = _wipe_where(and_(is_live, ~exists().where(_same_lease).correlate(text)))

_is_wiped_in_old = _old.c.body.is_(None)
_UPDATE_SAME_LEASES = (
    update(text)
    .where(_same_lease)
    .values(
        expires_at=_old.c.expires_at,
        free_at=case((_old.c.free_at > text.c.free_at, _old.c.free_at), else_=text.c.free_at),
        claim_hash=_old.c.claim_hash,
        ended=_old.c.ended,
        **{name: case((_is_wiped_in_old, null()), else_=text.c[name]) for name in SECRET_COLUMNS},
    )
)
_DELETE_OTHER_LEASES = delete(text).where(
    exists().where(_same_code, _old.c.owner_hash != text.c.owner_hash).correlate(text)
)
_REMOVE_FROM_POOL = delete(pool).where(pool.c.code.in_(select(_old.c.code)))
_is_live_in_old = and_(_old.c.body.is_not(None), _old.c.expires_at > bindparam("now"))
_INSERT_AS_COOLING = insert(text).from_select(
    ["code", "owner_hash", "saved_at", "expires_at", "free_at", "ended"],
    select(
        _old.c.code,
        _old.c.owner_hash,
        _old.c.saved_at,
        case((_is_live_in_old, bindparam("now")), else_=_old.c.expires_at),
        _old.c.free_at,
        # The owner can still ask for the status.
        case((_is_live_in_old, EndReason.DELETED.value), else_=_old.c.ended),
    ).where(~exists().where(_same_code).correlate(_old)),
)

_EXTEND_COOL_DOWN = update(text).where(text.c.free_at < bindparam("until")).values(free_at=bindparam("until"))
_COOL_DOWN_ALL_FREE = insert(text).from_select(
    ["code", "owner_hash", "expires_at", "free_at"],
    select(pool.c.code, literal(NO_HASH, LargeBinary), bindparam("now"), bindparam("until")).order_by(
        pool.c.code
    ),
)
