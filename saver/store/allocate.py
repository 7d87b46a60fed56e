"""Lease a random free code.

Every free code is equally likely in every state of the pool: of a list of random codes the first one
that is free is leased. A list of one is enough while the pool is nearly full; if most codes are
leased, the list is longer; if nearly all are, the free ones are counted and one of them is taken
(``ProbePlan`` says when).

No transaction waits for a code that another one is taking: that code is not free.
"""

from __future__ import annotations

from random import Random

from sqlalchemy import Connection, bindparam, func, select

from saver.codes import Code, random_codes
from saver.database import Database
from saver.database.base import ProbePlan
from saver.database.statements import Statement
from saver.database.tables import code as pool
from saver.store.lease_statements import MakeRow, statements_for

# How often a code that was free a moment ago may be taken by another transaction.
_MAX_RACES_LOST = 32

_count = select(func.count()).select_from(pool)
_at = select(pool.c.code).order_by(pool.c.code).limit(bindparam("one")).offset(bindparam("place"))


class PoolEmptyError(Exception):
    """No code is free."""


class CodeAllocator:
    """Leases random free codes."""

    def __init__(self, database: Database, random: Random, plan: ProbePlan | None = None) -> None:
        """``plan``: that of the database unless it is given."""
        self._random = random
        self._plan = plan or database.probe_plan
        self._statements = statements_for(database)
        self._count, self._at = Statement(database, _count), Statement(database, _at)
        # With which of the plan's lists the next lease begins; only the cost depends on it.
        self._first = 0

    @property
    def is_pool_low(self) -> bool:
        """Whether so few codes were free a moment ago that they are counted at once."""
        return self._first == len(self._plan.tries)

    def __call__(self, connection: Connection, make_row: MakeRow) -> Code:
        """Take a free code out of the pool and put a text under it. Raises PoolEmptyError."""
        for tries in self._plan.tries[self._first :]:
            if code := self.lease_by_probing(connection, tries, make_row):
                return code
        for _ in range(_MAX_RACES_LOST):
            code, count = self.find_by_counting(connection)
            self._first = len(self._plan.tries) if count < self._plan.low else 0
            if self._statements.lease(connection, code, make_row):
                return code
        # So few are left that other transactions take each of them first.
        raise PoolEmptyError

    def lease_by_probing(self, connection: Connection, tries: int, make_row: MakeRow) -> Code | None:
        """Lease the first of ``tries`` random codes that is free; None if none is."""
        codes = random_codes(self._random, tries)
        if tries == 1:
            code = Code(codes[0])
            return code if self._statements.lease(connection, code, make_row) else None
        found = self._statements.lease_first(connection, codes, make_row)
        if found:
            self._first = self._list_with(codes.index(found))
        return found

    def find_by_counting(self, connection: Connection) -> tuple[Code, int]:
        """Return a random free code, and how many are free. Raises PoolEmptyError."""
        while count := self._count.rows(connection, {})[0][0]:
            # Nothing if other transactions have taken the last ones meanwhile.
            for (found,) in self._at.rows(connection, {"one": 1, "place": self._random.randrange(count)}):
                return Code.parse(found), count
        raise PoolEmptyError

    def _list_with(self, place: int) -> int:
        """Return which of the plan's lists was the shortest with a code at this place."""
        return next(number for number, tries in enumerate(self._plan.tries) if place < tries)
