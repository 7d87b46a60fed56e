"""Lease a random free code.

Every free code is equally likely in every state of the pool: if a random code is not free, another
one is chosen. The first one is free while the pool is nearly full; if most codes are leased, many
are looked up in one statement; if nearly all are, the free ones are counted and one of them is taken
(``ProbePlan`` says when).

No transaction waits for a code that another one is taking: that code is not free.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from saver.codes import SPACE, Code
from saver.database import Database
from saver.database.base import ProbePlan, ProbeRound
from saver.database.statements import Statement
from saver.database.tables import code as pool
from saver.store.lease_statements import statements_for

# How often a code that was free a moment ago may be taken by another transaction.
_MAX_RACES_LOST = 32

_count = select(func.count()).select_from(pool)
_at = select(pool.c.code).order_by(pool.c.code).limit(bindparam("one")).offset(bindparam("place"))


class PoolEmptyError(Exception):
    """No code is free."""


class CodeAllocator:
    """Leases random free codes."""

    def __init__(
        self, database: Database, random: Random, pool_size: int = SPACE, plan: ProbePlan | None = None
    ) -> None:
        """``pool_size``: how many codes there are. ``plan``: that of the database unless it is given."""
        self._random = random
        self._pool_size = pool_size
        self._plan = plan or database.probe_plan
        self._at_once = self._plan.rounds[0].codes
        self._statements = statements_for(database, self._at_once)
        self._count, self._at = Statement(database, _count), Statement(database, _at)
        # Whether few codes were free a moment ago; only the cost depends on it.
        self.is_pool_low = False

    def __call__(self, connection: Connection, row: Mapping[str, Any]) -> Code:
        """Take a free code out of the pool and put the text ``row`` under it. Raises PoolEmptyError."""
        if not self.is_pool_low:
            code = Code.nth(self._random.randrange(self._pool_size))
            if self._statements.lease(connection, code, row):
                return code
        for _ in range(_MAX_RACES_LOST):
            code = self._free_code(connection)
            if self._statements.lease(connection, code, row):
                return code
        # So few are left that other transactions take each of them first.
        raise PoolEmptyError

    def _free_code(self, connection: Connection) -> Code:
        for probe in self._plan.rounds[self.is_pool_low :]:
            if found := self.find_by_probing(connection, probe):
                return found
        found, count = self.find_by_counting(connection)
        self.is_pool_low = count < self._plan.low
        return found

    def find_by_probing(self, connection: Connection, probe: ProbeRound) -> Code | None:
        """Return a free one of ``probe.codes`` random codes, in up to ``probe.rounds`` attempts."""
        for _ in range(probe.rounds):
            wanted = self._random_codes(probe.codes)
            if free := self._statements.find_free(connection, wanted):
                low = len(free) * self._pool_size < self._plan.low * probe.codes
                self.is_pool_low = low and probe.codes > self._at_once
                return next(code for code in wanted if code in free)
        return None

    def find_by_counting(self, connection: Connection) -> tuple[Code, int]:
        """Return a random free code, and how many are free. Raises PoolEmptyError."""
        while count := self._count.rows(connection, {})[0][0]:
            # Nothing if other transactions have taken the last ones meanwhile.
            for (found,) in self._at.rows(connection, {"one": 1, "place": self._random.randrange(count)}):
                return Code.parse(found), count
        raise PoolEmptyError

    def _random_codes(self, number: int) -> list[Code]:
        # Asking a CSPRNG once for many codes costs a quarter of asking it for each.
        codes: list[Code] = []
        while len(codes) < number:
            digits = self._random.randrange(self._pool_size**self._at_once)
            for _ in range(self._at_once):
                digits, digit = divmod(digits, self._pool_size)
                codes.append(Code.nth(digit))
        return codes
