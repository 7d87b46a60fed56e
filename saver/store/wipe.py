"""What is wiped when a text ends, and how a text ends before its time."""

from __future__ import annotations

import math
from enum import StrEnum

from sqlalchemy import Connection, bindparam, null, update

from saver.codes import Code
from saver.database.tables import text
from saver.store.base import Store
from saver.store.predicates import has_body

# Everything that is secret or about the sender; what is left says only that the code was leased.
SECRET_COLUMNS = ("body", "seal", "proof_mac", "source", "network")
WIPED = {name: null() for name in SECRET_COLUMNS}


class EndReason(StrEnum):
    """Why a text ended before its time (column ``ended``, NULL for one that expired)."""

    DELETED = "deleted"
    READ = "read"


_wipe_now = (
    update(text)
    .where(text.c.code == bindparam("wanted"), has_body)
    .values(**WIPED, expires_at=bindparam("now"), free_at=bindparam("reusable_at"), ended=bindparam("reason"))
)


def wipe_now(store: Store, connection: Connection, code: Code, reason: EndReason) -> None:
    """End the text under a code: it is gone from this second on, and its code cools down."""
    now = store.clock()
    values = {"now": math.floor(now), "reusable_at": store.reusable_at(now), "reason": reason.value}
    connection.execute(_wipe_now, {"wanted": code, **values})
