"""One batch of a sweep: wipe what has expired, give back what has rested.

Both steps find their rows by what is in them, so a sweep that was killed, that
runs twice or beside another one does the same as one that ran alone. Rows that another
sweep or an owner is at are passed over: nobody waits, and they are found the next time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, null, select, update

from saver import dialect
from saver.models import code as pool
from saver.models import text

held = text.c.body.is_not(None)
expired = text.c.expires_at <= bindparam("now")
# The one predicate that says whether a text may be served.
live = held & ~expired

_to_wipe = (
    select(text.c.code)
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
    .values(body=null(), seal=null(), proof_hash=null(), source=null())
)
_drop = delete(text).where(text.c.code.in_(bindparam("codes", expanding=True)))
_give_back = insert(pool)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did; ``more`` says that a batch was full, so there may be more to do."""

    wiped: int
    freed: int
    more: bool


def sweep(connection: Connection, now: int, most: int) -> Swept:
    """Wipe and give back at most ``most`` codes each, as of ``now`` in UTC seconds.

    The codes of a batch are sorted, so that each page is touched once: half the cost.
    """
    wiped = sorted(connection.scalars(_to_wipe, {"now": now, "most": most}))
    if wiped:
        connection.execute(_wipe, {"codes": wiped})
    freed = sorted(connection.scalars(_rested, {"now": now, "most": most}))
    if freed:
        connection.execute(_drop, {"codes": freed})
        if not dialect.copy_in(connection, pool, [(code,) for code in freed]):
            connection.execute(_give_back, [{"code": code} for code in freed])
    return Swept(len(wiped), len(freed), more=most in (len(wiped), len(freed)))
