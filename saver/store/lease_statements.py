"""The statements of a lease, in the form that fits the database's way of writing."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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

# Makes the whole row of a text for the code that it gets: its body is encrypted for that code.
MakeRow = Callable[[Code], Mapping[str, Any]]


class LeaseStatements(ABC):
    """How a code is taken out of the pool."""

    # A SELECT of the first of a list of codes that is free, and the form of such a list.
    first_free: Statement
    list_of: Callable[[Sequence[str]], str]

    @abstractmethod
    def lease(self, connection: Connection, code: Code, make_row: MakeRow) -> bool:
        """Take a code out of the pool and put a text under it; False if it is not free."""

    def lease_first(self, connection: Connection, codes: Sequence[str], make_row: MakeRow) -> Code | None:
        """Do the same with the first of the codes that is free; None if none is, or if it is being taken."""
        for (found,) in self.first_free.rows(connection, {"codes": self.list_of(codes), **_FIRST}):
            code = Code(found)
            return code if self.lease(connection, code, make_row) else None
        return None


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


class _SerialStatements(LeaseStatements):
    """For one writer at a time: two statements."""

    list_of = staticmethod(json.dumps)

    def __init__(self, database: Database) -> None:
        self.first_free = Statement(database, _first_free(_in_json))
        self._take = Statement(database, delete(pool).where(pool.c.code == bindparam("code")))
        self._insert = Statement(database, insert(text))

    def lease(self, connection: Connection, code: Code, make_row: MakeRow) -> bool:
        if self._take.run(connection, {"code": code}) != 1:
            return False
        self._insert.run(connection, make_row(code))
        return True


_in_array = (
    func.unnest(func.string_to_array(bindparam("codes", type_=Text), literal_column("' '")))
    .table_valued(column("value", Text), with_ordinality="place", name="wanted")
    .render_derived()
)


def _take_and_insert() -> Insert:
    """Return one statement, which skips a code that another transaction is taking."""
    here = select(pool.c.code).where(pool.c.code == bindparam("code"))
    not_locked = here.with_for_update(skip_locked=True).scalar_subquery()
    taken = delete(pool).where(pool.c.code == not_locked).returning(pool.c.code).cte("taken")
    columns = [column for column in text.c if column.name != "code"]
    return insert(text).from_select(
        ["code", *(column.name for column in columns)],
        select(taken.c.code, *(bindparam(column.name, type_=column.type) for column in columns)),
    )


TAKE_AND_INSERT = _take_and_insert()


class _ConcurrentStatements(LeaseStatements):
    """For many writers at the same time: one statement."""

    list_of = staticmethod(" ".join)

    def __init__(self, database: Database) -> None:
        self.first_free = Statement(database, _first_free(_in_array, _in_array.c.place))
        self._lease = Statement(database, TAKE_AND_INSERT)

    def lease(self, connection: Connection, code: Code, make_row: MakeRow) -> bool:
        return self._lease.run(connection, make_row(code)) == 1
