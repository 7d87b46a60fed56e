"""Take a random free code out of the pool and put a text under it.

Every free code is equally likely in every state of the pool: a code that is
drawn and not free is simply drawn again. One draw is enough while the pool is
full; where most codes are leased, many are tried in one statement, and where
nearly all are, the few free ones are counted and one of them is taken; on a
server later than in a file, since its tables do not shrink.

Nobody waits for another's code: one that is being taken is not free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Connection, Engine, Text, any_, bindparam, delete, func, insert, select

from saver import database
from saver.codes import SPACE, Code
from saver.database.statements import Statement
from saver.database.tables import code as pool
from saver.database.tables import text


class _Stage(NamedTuple):
    """So many codes are tried at once, so often; then comes the next stage, and at last counting."""

    tries: int
    rounds: int


class _Plan(NamedTuple):
    """With fewer than ``few`` free codes the first stage costs more than what follows, and is left out."""

    stages: tuple[_Stage, ...]
    few: int


_AT_ONCE = 64
# With one code in a hundred free, eight rounds of 64 fail once in 170 times.
_OF_A_FILE = _Plan((_Stage(_AT_ONCE, 8),), few=20_000)
# A server reads its whole table to count, and that is still as large as it was with the full pool.
_OF_A_SERVER = _Plan((_Stage(_AT_ONCE, 2), _Stage(1024, 8)), few=30_000)
# How often a code that was free a moment ago may be taken by another.
_TIMES_LATE = 32

_take = delete(pool).where(pool.c.code == bindparam("code"))
_put = insert(text)
_names = [f"wanted{place}" for place in range(_AT_ONCE)]
_free_among = select(pool.c.code).where(pool.c.code.in_([bindparam(name) for name in _names]))
_free_in = select(pool.c.code).where(pool.c.code == any_(bindparam("wanted", type_=ARRAY(Text))))
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


class CodeAllocator:
    """Leases random free codes."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._random = random
        server = database.is_server(engine)
        self._plan = _OF_A_SERVER if server else _OF_A_FILE
        self._lease_if_free = _lease_in_one(engine) if server else _lease_in_two(engine)
        self._free_of = _free_of_array(engine) if server else _free_of_list(engine)
        self._count, self._at = Statement(engine, _count), Statement(engine, _at)
        # Whether few codes were free a moment ago; only the cost depends on it.
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
        for stage in self._plan.stages[self._few :]:
            if found := self._by_trying(connection, stage):
                return found
        found, count = self._by_counting(connection)
        self._few = count < self._plan.few
        return found

    def _by_trying(self, connection: Connection, stage: _Stage) -> Code | None:
        for _ in range(stage.rounds):
            wanted = _any_codes(self._random, stage.tries)
            if free := self._free_of(connection, wanted):
                self._few = stage.tries > _AT_ONCE and len(free) * SPACE < self._plan.few * stage.tries
                return next(code for code in wanted if code in free)
        return None

    def _by_counting(self, connection: Connection) -> tuple[Code, int]:
        """One of the free codes, and how many they are."""
        while count := self._count.rows(connection, {})[0][0]:
            # None where others have meanwhile taken the last ones.
            for (found,) in self._at.rows(connection, {"one": 1, "place": self._random.randrange(count)}):
                return Code.parse(found), count
        raise PoolEmptyError


_Lease = Callable[[Connection, Code, Mapping[str, Any]], bool]
_FreeOf = Callable[[Connection, list[Code]], set[str]]


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


def _free_of_list(engine: Engine) -> _FreeOf:
    statement = Statement(engine, _free_among)
    return lambda connection, wanted: {
        code for (code,) in statement.rows(connection, dict(zip(_names, wanted, strict=True)))
    }


def _free_of_array(engine: Engine) -> _FreeOf:
    statement = Statement(engine, _free_in)
    return lambda connection, wanted: {code for (code,) in statement.rows(connection, {"wanted": wanted})}


def _any_codes(random: Random, many: int) -> list[Code]:
    """So many codes, each of them any. Asking a CSPRNG once costs a quarter of asking it for each."""
    codes: list[Code] = []
    while len(codes) < many:
        number = random.randrange(SPACE**_AT_ONCE)
        for _ in range(_AT_ONCE):
            number, place = divmod(number, SPACE)
            codes.append(Code.nth(place))
    return codes
