"""One batch of a sweep: wipe what has expired, give back what has rested.

Both steps find their rows by what is in them, so a sweep that was killed, that
runs twice or beside another one does the same as one that ran alone. Rows that another
sweep or an owner is at are passed over: nobody waits, and they are found the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, case, delete, false, insert, null, select, true, update

from saver import database
from saver.database.tables import code as pool
from saver.database.tables import text

held = text.c.body.is_not(None)
expired = text.c.expires_at <= bindparam("now")
# The one predicate that says whether a text may be served.
live = held & ~expired
# The same as a column of an answer. SQLite would read a whole body to say that there is one, but not
# where it only decides by it: a look-up must not take longer the larger a text is.
is_live = case((live, true()), else_=false()).label("live")

# Of the bodies that are wiped at a time: overwriting them takes as much room in a file's log.
_MOST_BYTES = 4 << 20

_to_wipe = (
    select(text.c.code, text.c.size)
    .where(held, expired)
    .order_by(text.c.expires_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_rested = (
    select(text.c.code)
    .where(~held, text.c.free_at <= bindparam("now"))
    .order_by(text.c.free_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_wipe = (
    update(text)
    .where(text.c.code.in_(bindparam("codes", expanding=True)))
    .values(body=null(), seal=null(), proof_hash=null(), source=null(), network=null())
)
_drop = delete(text).where(text.c.code.in_(bindparam("codes", expanding=True)))
_give_back = insert(pool)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep did; ``more`` says that a batch was full, so there may be more to do."""

    wiped: int
    freed: int
    more: bool


def sweep(connection: Connection, now: int, most: int) -> SweepResult:
    """Wipe and give back at most ``most`` codes each, as of ``now`` in UTC seconds.

    The codes of a batch are sorted, so that each page is touched once: half the cost.
    """
    found = connection.execute(_to_wipe, {"now": now, "most": most}).all()
    wiped = sorted(_not_too_large(found))
    if wiped:
        connection.execute(_wipe, {"codes": wiped})
    freed = sorted(connection.scalars(_rested, {"now": now, "most": most}))
    if freed:
        connection.execute(_drop, {"codes": freed})
        if not database.copy_in(connection, pool, [(code,) for code in freed]):
            connection.execute(_give_back, [{"code": code} for code in freed])
    return SweepResult(
        len(wiped), len(freed), more=most in (len(found), len(freed)) or len(wiped) < len(found)
    )


def _not_too_large(found: Sequence[Row[str, int]]) -> Iterator[str]:
    """The first of these codes, and as many more as have no more bytes than may be wiped at a time."""
    size = 0
    for place, row in enumerate(found):
        size += row.size
        if place and size > _MOST_BYTES:
            return
        yield row.code
