"""Take a random free code out of the pool.

Every free code is equally likely in every state of the pool: a code that is
drawn and not free is simply drawn again. One draw is enough while the pool is
full; where most codes are leased, many are tried in one statement, and where
nearly all are, the few free ones are counted and one of them is taken.
"""

from __future__ import annotations

from random import Random

from sqlalchemy import Connection, Engine, bindparam, delete, func, select

from saver.codes import SPACE, Code
from saver.models import code as pool
from saver.statements import Statement

# With one code in a hundred free, eight rounds of 64 fail once in 170 times.
_TRIES = 64
_ROUNDS = 8
# Below this many free codes counting them costs less than trying.
_FEW = 20_000

_take = delete(pool).where(pool.c.code == bindparam("wanted"))
_free_among = select(pool.c.code).where(pool.c.code.in_(bindparam("wanted", expanding=True)))
_count = select(func.count()).select_from(pool)
_at = select(pool.c.code).order_by(pool.c.code).limit(1).offset(bindparam("place"))


class PoolEmptyError(Exception):
    """No code is free."""


class Draw:
    """Takes random free codes out of the pool."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self._random = random
        self._take = Statement(engine, _take)
        # Whether few codes were free when they were last counted; only the cost depends on it.
        self._few = False

    def __call__(self, connection: Connection) -> Code:
        """Delete one free code from the pool and return it. Raises PoolEmptyError."""
        wanted = None
        if not self._few:
            wanted = _any_code(self._random)
            if self._take.run(connection, {"wanted": wanted}) == 1:
                return wanted
            wanted = _free_by_trying(connection, self._random)
        if wanted is None:
            wanted, count = _free_by_counting(connection, self._random)
            self._few = count < _FEW
        if self._take.run(connection, {"wanted": wanted}) != 1:
            # Only where another writer can take it in between, so never on SQLite.
            raise PoolEmptyError
        return wanted


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
    count = connection.scalar(_count)
    if not count:
        raise PoolEmptyError
    found = connection.scalar(_at, {"place": random.randrange(count)})
    return Code.parse(str(found)), count
