"""Take a random free code out of the pool and put a text under it.

Every free code is equally likely in every state of the pool: a code that is
drawn and not free is simply drawn again. One draw is enough while the pool is
full; where most codes are leased, many are tried in one statement, and where
nearly all are, the few free ones are counted and one of them is taken.

Nobody waits for another's code: one that is being taken is not free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select

from saver import dialect
from saver.codes import SPACE, Code
from saver.models import code as pool
from saver.models import text
from saver.statements import Statement

# With one code in a hundred free, eight rounds of 64 fail once in 170 times.
_TRIES = 64
_ROUNDS = 8
# Below this many free codes counting them costs less than trying.
_FEW = 20_000
# How often a code that was free a moment ago may be taken by another.
_TIMES_LATE = 32

_take = delete(pool).where(pool.c.code == bindparam("code"))
_put = insert(text)
_free_among = select(pool.c.code).where(pool.c.code.in_(bindparam("wanted", expanding=True)))
_count = select(func.count()).select_from(pool)
_at = select(pool.c.code).order_by(pool.c.code).limit(1).offset(bindparam("place"))

# For many writers: the same in one statement, which passes over a code that is being taken.
_here = select(pool.c.code).where(pool.c.code == bindparam("code"))
_not_being_taken = _here.with_for_update(skip_locked=True).scalar_subquery()
_taken = delete(pool).where(pool.c.code == _not_being_taken).returning(pool.c.code).cte("taken")
_columns = [column for column in text.c if column.name != "code"]
_take_and_put = insert(text).from_select(
    ["code", *(column.name for column in _columns)],
    select(_taken.c.code, *(bindparam(column.name, type_=column.type) for column in _columns)),
)


class PoolEmptyError(Exception):
    """No code is free."""


class Draw:
    """Leases random free codes."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._random = random
        self._lease_if_free = _lease_in_one(engine) if dialect.is_server(engine) else _lease_in_two(engine)
        # Whether few codes were free when they were last counted; only the cost depends on it.
        self._few = False

    def __call__(self, connection: Connection, row: Mapping[str, Any]) -> Code:
        """Take a free code out of the pool and put the text ``row`` under it. Raises PoolEmptyError."""
        if not self._few:
            wanted = _any_code(self._random)
            if self._lease_if_free(connection, wanted, row):
                return wanted
        for _ in range(_TIMES_LATE):
            wanted = self._free_code(connection)
            if self._lease_if_free(connection, wanted, row):
                return wanted
        # So few are left that others take each of them first.
        raise PoolEmptyError

    def _free_code(self, connection: Connection) -> Code:
        if not self._few and (found := _free_by_trying(connection, self._random)):
            return found
        found, count = _free_by_counting(connection, self._random)
        self._few = count < _FEW
        return found


_Lease = Callable[[Connection, Code, Mapping[str, Any]], bool]


def _lease_in_one(engine: Engine) -> _Lease:
    statement = Statement(engine, _take_and_put)
    return lambda connection, code, row: statement.run(connection, {"code": code, **row}) == 1


def _lease_in_two(engine: Engine) -> _Lease:
    take, put = Statement(engine, _take), Statement(engine, _put)

    def lease(connection: Connection, code: Code, row: Mapping[str, Any]) -> bool:
        if take.run(connection, {"code": code}) != 1:
            return False
        put.run(connection, {"code": code, **row})
        return True

    return lease


def _any_code(random: Random) -> Code:
    return Code.nth(random.randrange(SPACE))


def _free_by_trying(connection: Connection, random: Random) -> Code | None:
    for _ in range(_ROUNDS):
        wanted = [_any_code(random) for _ in range(_TRIES)]
        free = set(connection.scalars(_free_among, {"wanted": wanted}))
        for code in wanted:
            if code in free:
                return code
    return None


def _free_by_counting(connection: Connection, random: Random) -> tuple[Code, int]:
    """One of the free codes, and how many they are."""
    while count := connection.scalars(_count).one():
        # None where others have meanwhile taken the last ones.
        if found := connection.scalar(_at, {"place": random.randrange(count)}):
            return Code.parse(str(found)), count
    raise PoolEmptyError
