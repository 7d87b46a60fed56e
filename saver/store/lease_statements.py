"""The statements of a lease, in the form that fits the database's way of writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ARRAY, BindParameter, Connection, Text, any_, bindparam, delete, insert, select

from saver.codes import Code
from saver.database import Database
from saver.database.statements import Statement
from saver.database.tables import code as pool
from saver.database.tables import text


class LeaseStatements(Protocol):
    """How a code is taken and how free codes are found."""

    def lease(self, connection: Connection, code: Code, row: Mapping[str, Any]) -> bool:
        """Take a code out of the pool and put the text ``row`` under it; False if it is not free."""

    def find_free(self, connection: Connection, codes: Sequence[Code]) -> set[str]:
        """Return those of the codes that are free."""


def statements_for(database: Database, max_codes: int) -> LeaseStatements:
    """Make the statements for a database; ``find_free`` gets ``max_codes`` codes at a time in SQLite."""
    return (
        _ConcurrentStatements(database)
        if database.has_concurrent_writers
        else _SerialStatements(database, max_codes)
    )


class _SerialStatements:
    """For one writer at a time: two statements."""

    def __init__(self, database: Database, max_codes: int) -> None:
        self._names = [f"wanted{number}" for number in range(max_codes)]
        wanted: list[BindParameter[str]] = [bindparam(name) for name in self._names]
        self._find_free = Statement(database, select(pool.c.code).where(pool.c.code.in_(wanted)))
        self._take = Statement(database, delete(pool).where(pool.c.code == bindparam("code")))
        self._insert = Statement(database, insert(text))

    def lease(self, connection: Connection, code: Code, row: Mapping[str, Any]) -> bool:
        if self._take.run(connection, {"code": code}) != 1:
            return False
        self._insert.run(connection, {"code": code, **row})
        return True

    def find_free(self, connection: Connection, codes: Sequence[Code]) -> set[str]:
        wanted = dict(zip(self._names, codes, strict=True))
        return {code for (code,) in self._find_free.rows(connection, wanted)}


_here = select(pool.c.code).where(pool.c.code == bindparam("code"))
_not_locked = _here.with_for_update(skip_locked=True).scalar_subquery()
_taken = delete(pool).where(pool.c.code == _not_locked).returning(pool.c.code).cte("taken")
_columns = [column for column in text.c if column.name != "code"]
# One statement, which skips a code that another transaction is taking.
TAKE_AND_INSERT = insert(text).from_select(
    ["code", *(column.name for column in _columns)],
    select(_taken.c.code, *(bindparam(column.name, type_=column.type) for column in _columns)),
)
_find_free_in = select(pool.c.code).where(pool.c.code == any_(bindparam("wanted", type_=ARRAY(Text))))


class _ConcurrentStatements:
    """For many writers at the same time: one statement."""

    def __init__(self, database: Database) -> None:
        self._lease = Statement(database, TAKE_AND_INSERT)
        self._find_free = Statement(database, _find_free_in)

    def lease(self, connection: Connection, code: Code, row: Mapping[str, Any]) -> bool:
        return self._lease.run(connection, {"code": code, **row}) == 1

    def find_free(self, connection: Connection, codes: Sequence[Code]) -> set[str]:
        return {code for (code,) in self._find_free.rows(connection, {"wanted": codes})}
