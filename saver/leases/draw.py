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
_wanted = [f"wanted{place}" for place in range(_TRIES)]
_free_among = select(pool.c.code).where(pool.c.code.in_([bindparam(name) for name in _wanted]))
_count = select(func.count()).select_from(pool)
_at = select(pool.c.code).order_by(pool.c.code).limit(bindparam("one")).offset(bindparam("place"))

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
        self._free_among, self._count, self._at = (
            Statement(engine, each) for each in (_free_among, _count, _at)
        )
        # Whether few codes were free when they were last counted; only the cost depends on it.
        self._few = False

    def __call__(self, connection: Connection, row: Mapping[str, Any]) -> Code:
        """Take a free code out of the pool and put the text ``row`` under it. Raises PoolEmptyError."""
        if not self._few:
            wanted = Code.nth(self._random.randrange(SPACE))
            if self._lease_if_free(connection, wanted, row):
                return wanted
        for _ in range(_TIMES_LATE):
            wanted = self._free_code(connection)
            if self._lease_if_free(connection, wanted, row):
                return wanted
        # So few are left that others take each of them first.
        raise PoolEmptyError

    def _free_code(self, connection: Connection) -> Code:
        if not self._few and (found := self._by_trying(connection)):
            return found
        found, count = self._by_counting(connection)
        self._few = count < _FEW
        return found

    def _by_trying(self, connection: Connection) -> Code | None:
        for _ in range(_ROUNDS):
            wanted = _any_codes(self._random, _TRIES)
            values = dict(zip(_wanted, wanted, strict=True))
            free = {code for (code,) in self._free_among.rows(connection, values)}
            for code in wanted:
                if code in free:
                    return code
        return None

    def _by_counting(self, connection: Connection) -> tuple[Code, int]:
        """One of the free codes, and how many they are."""
        while count := self._count.rows(connection, {})[0][0]:
            # None where others have meanwhile taken the last ones.
            for (found,) in self._at.rows(connection, {"one": 1, "place": self._random.randrange(count)}):
                return Code.parse(found), count
        raise PoolEmptyError


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


def _any_codes(random: Random, many: int) -> list[Code]:
    """So many codes, each of them any. Asking a CSPRNG once costs a quarter of asking it for each."""
    number = random.randrange(SPACE**many)
    places = []
    for _ in range(many):
        number, place = divmod(number, SPACE)
        places.append(place)
    return [Code.nth(place) for place in places]
