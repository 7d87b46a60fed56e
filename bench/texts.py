"""Insert many texts at once, without TextStore, on either engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from bench.common import TEXT
from saver.database import WRITE, database_for
from saver.database.tables import code as pool
from saver.database.tables import text

_REST = 86_400
_BATCH = 10_000
_OWNER_HASH = bytes(32)


def put(engine: Engine, codes: Sequence[str], expires_at: int) -> None:
    """Lease these codes, in their order: a text of 1 KB under each, to live until ``expires_at``."""
    row = {
        **dict.fromkeys(column.name for column in text.c),
        "body": TEXT,
        "owner_hash": _OWNER_HASH,
        "once": False,
        "saved_at": 0,
        "expires_at": expires_at,
        "free_at": expires_at + _REST,
        "size": len(TEXT),
    }
    database, writing = database_for(engine), engine.execution_options(**WRITE)
    for first in range(0, len(codes), _BATCH):
        batch = codes[first : first + _BATCH]
        rows: list[dict[str, Any]] = [{**row, "code": code} for code in batch]
        with writing.begin() as connection:
            database.disable_timeouts(connection)
            if not database.copy_rows(connection, text, (tuple(values.values()) for values in rows)):
                connection.execute(insert(text), rows)
            taken = select(text.c.code).where(text.c.code.in_(batch))
            connection.execute(delete(pool).where(pool.c.code.in_(taken)))


def expire(engine: Engine, codes: Sequence[str]) -> None:
    """Set these texts to expired and cooled down: one batch of a sweep wipes them and frees their codes."""
    with engine.execution_options(**WRITE).begin() as connection:
        connection.execute(update(text).where(text.c.code.in_(codes)).values(expires_at=0, free_at=0))
