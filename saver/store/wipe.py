"""End a text before its time: wipe it now and let its code rest."""

from __future__ import annotations

import math

from sqlalchemy import Connection, bindparam, null, update

from saver.codes import Code
from saver.database.tables import text

# Why a text ended before its time; NULL for one that expired.
DELETED = "deleted"
READ = "read"

_end = (
    update(text)
    .where(text.c.code == bindparam("wanted"), text.c.body.is_not(None))
    .values(
        body=null(),
        seal=null(),
        proof_hash=null(),
        source=null(),
        network=null(),
        expires_at=bindparam("now"),
        free_at=bindparam("rested"),
        ended=bindparam("why"),
    )
)


def end(connection: Connection, code: Code, *, now: float, rest: int, why: str) -> None:
    """End the text under a code; ``now`` in UTC seconds, ``rest`` in seconds."""
    # It is gone from this second on, and its code rests no moment less than it should.
    ended, rested = math.floor(now), math.ceil(now) + rest
    connection.execute(_end, {"wanted": code, "now": ended, "rested": rested, "why": why})
