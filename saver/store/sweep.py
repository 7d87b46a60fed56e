"""One batch of a sweep: wipe expired texts, return cooled-down codes to the pool, delete expired meetings.

All steps find their rows by their content, so a sweep that was killed, that
runs twice or at the same time as another one has the same effect as a single one. Rows that another
transaction has locked are skipped: nobody waits, and the next sweep finds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from saver.database import Database
from saver.database.tables import code as pool
from saver.database.tables import text
from saver.store.meetings import delete_expired
from saver.store.predicates import has_body, is_expired
from saver.store.wipe import WIPED

# The bodies that one batch wipes: overwriting them takes as much space in SQLite's log.
_MAX_BYTES = 4 << 20

_to_wipe = (
    select(text.c.code, text.c.size)
    .where(has_body, is_expired)
    .order_by(text.c.expires_at)
    .limit(bindparam("max_rows"))
    .with_for_update(skip_locked=True)
)
_cooled_down = (
    select(text.c.code)
    .where(~has_body, text.c.free_at <= bindparam("now"))
    .order_by(text.c.free_at)
    .limit(bindparam("max_rows"))
    .with_for_update(skip_locked=True)
)
_wipe = update(text).where(text.c.code.in_(bindparam("codes", expanding=True))).values(WIPED)
_drop = delete(text).where(text.c.code.in_(bindparam("codes", expanding=True)))
_return = insert(pool)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a batch did; ``more`` says that it was full, so there may be more to do."""

    wiped: int
    freed: int
    more: bool


def sweep(database: Database, connection: Connection, now: int, max_rows: int) -> SweepResult:
    """Wipe and return up to ``max_rows`` codes each, as of ``now`` in UTC seconds.

    The codes of a batch are sorted, so that each page is touched once: half the cost.
    """
    found = connection.execute(_to_wipe, {"now": now, "max_rows": max_rows}).all()
    wiped = sorted(_not_too_large(found))
    if wiped:
        connection.execute(_wipe, {"codes": wiped})
    freed = sorted(connection.scalars(_cooled_down, {"now": now, "max_rows": max_rows}))
    if freed:
        connection.execute(_drop, {"codes": freed})
        if not database.copy_rows(connection, pool, [(code,) for code in freed]):
            connection.execute(_return, [{"code": code} for code in freed])
    delete_expired(database, connection, now)
    return SweepResult(
        len(wiped), len(freed), more=max_rows in (len(found), len(freed)) or len(wiped) < len(found)
    )


def _not_too_large(found: Sequence[Row[str, int]]) -> Iterator[str]:
    """Return the first of these codes, and the next ones as long as their bodies fit into a batch."""
    size = 0
    for number, row in enumerate(found):
        size += row.size
        if number and size > _MAX_BYTES:
            return
        yield row.code
