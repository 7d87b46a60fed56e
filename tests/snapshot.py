"""What lies in the database, read past the code under test: raw SQLite, one snapshot."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

# One statement is one snapshot, whoever writes meanwhile.
_EVERY_ROW = "SELECT code, 1 FROM code UNION ALL SELECT code, 0 FROM text"


class Snapshot(NamedTuple):
    """Where the codes lie; lists, so that a code that is there twice is seen twice."""

    free: list[str]
    leased: list[str]

    def misplaced(self, codes: Iterable[str]) -> dict[str, int]:
        """The codes that are not in exactly one place, and in how many they are."""
        places = Counter(self.free + self.leased)
        places.update(dict.fromkeys(codes, 0))
        wanted = set(codes)
        return {code: count for code, count in places.items() if (count, code in wanted) != (1, True)}


def snapshot(database: Path) -> Snapshot:
    """Read both tables at one instant."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        rows = connection.execute(_EVERY_ROW).fetchall()
    return Snapshot([code for code, free in rows if free], [code for code, free in rows if not free])


def ask(database: Path, question: str, *values: object) -> list[tuple[object, ...]]:
    """The rows that answer a question."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        return connection.execute(question, values).fetchall()
