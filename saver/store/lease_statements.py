"""The statements of a lease, in the form that fits the database's way of writing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    TableValuedAlias,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
)

from saver.codes import Code
from saver.database import Database
from saver.database.statements import Statement
from saver.database.tables import code as pool
from saver.database.tables import text

Row = Mapping[str, Any]


class LeaseStatements(Protocol):
    """How a code is taken out of the pool."""

    def lease(self, connection: Connection, code: Code, row: Row) -> bool:
        """Take a code out of the pool and put the text ``row`` under it; False if it is not free."""

    def lease_first(self, connection: Connection, codes: Sequence[str], row: Row) -> Code | None:
        """Do the same with the first of the codes that is free; None if none is."""


def statements_for(database: Database) -> LeaseStatements:
    """Make the statements for a database."""
    return (_ConcurrentStatements if database.has_concurrent_writers else _SerialStatements)(database)


def _first_free(codes: TableValuedAlias, *order: ColumnElement[int]) -> Select[str]:
    """Return a SELECT of the first of ``codes`` that is free; those after it are not looked up.

    The inner SELECT is a value and not a join, which a database could make in another order.
    """
    is_free = select(true()).where(pool.c.code == codes.c.value).scalar_subquery()
    first = select(codes.c.value).where(is_free).order_by(*order)
    # SQLAlchemy's own constants would be parameters without a value.
    return first.limit(bindparam("one")).offset(bindparam("zero"))


_FIRST = {"one": 1, "zero": 0}
# Its rows come in the order of the list.
_in_json = func.json_each(bindparam("codes", type_=Text)).table_valued("value", name="wanted")


class _SerialStatements:
    """For one writer at a time: two statements."""

    def __init__(self, database: Database) -> None:
        self._find_first = Statement(database, _first_free(_in_json))
        self._take = Statement(database, delete(pool).where(pool.c.code == bindparam("code")))
        self._insert = Statement(database, insert(text))

    def lease(self, connection: Connection, code: Code, row: Row) -> bool:
        if self._take.run(connection, {"code": code}) != 1:
            return False
        self._insert.run(connection, {"code": code, **row})
        return True

    def lease_first(self, connection: Connection, codes: Sequence[str], row: Row) -> Code | None:
        for (found,) in self._find_first.rows(connection, {"codes": json.dumps(codes), **_FIRST}):
            code = Code(found)
            return code if self.lease(connection, code, row) else None
        return None


_in_array = (
    func.unnest(func.string_to_array(bindparam("codes", type_=Text), literal_column("' '")))
    .table_valued(column("value", Text), with_ordinality="place", name="wanted")
    .render_derived()
)


def _take_and_insert(chosen: ColumnElement[str]) -> Insert:
    """Return one statement, which skips a code that another transaction is taking."""
    here = select(pool.c.code).where(pool.c.code == chosen)
    not_locked = here.with_for_update(skip_locked=True).scalar_subquery()
    taken = delete(pool).where(pool.c.code == not_locked).returning(pool.c.code).cte("taken")
    columns = [column for column in text.c if column.name != "code"]
    return insert(text).from_select(
        ["code", *(column.name for column in columns)],
        select(taken.c.code, *(bindparam(column.name, type_=column.type) for column in columns)),
    )


TAKE_AND_INSERT = _take_and_insert(bindparam("code"))
_first_in_array = _first_free(_in_array, _in_array.c.place).scalar_subquery()
_take_first_and_insert = _take_and_insert(_first_in_array).returning(text.c.code)


class _ConcurrentStatements:
    """For many writers at the same time: one statement."""

    def __init__(self, database: Database) -> None:
        self._lease = Statement(database, TAKE_AND_INSERT)
        self._lease_first = Statement(database, _take_first_and_insert)

    def lease(self, connection: Connection, code: Code, row: Row) -> bool:
        return self._lease.run(connection, {"code": code, **row}) == 1

    def lease_first(self, connection: Connection, codes: Sequence[str], row: Row) -> Code | None:
        """See ``LeaseStatements``; None too if another transaction is taking the code."""
        for (found,) in self._lease_first.rows(connection, {"codes": " ".join(codes), **_FIRST, **row}):
            return Code(found)
        return None
