"""The pool as a whole: fill it, count it, audit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Table,
    Text,
    bindparam,
    column,
    exists,
    func,
    insert,
    select,
    true,
    values,
)

from saver.codes import ALPHABET, LENGTH, SPACE
from saver.database import Database
from saver.database.tables import code as pool
from saver.database.tables import text
from saver.store.predicates import has_body, is_expired, is_live

# The order of the keys in the table, so that filling only ever appends.
LETTERS = sorted(ALPHABET)
PER_LETTER = SPACE // len(ALPHABET)


@dataclass(frozen=True, slots=True)
class FillResult:
    """One step of filling: ``codes`` begin with ``letter``, and ``added`` of them were missing."""

    letter: str
    added: int
    codes: int = PER_LETTER


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts of one snapshot.

    ``both`` counts codes that are in the pool and under a text, ``overdue``
    texts that have expired and are not wiped yet.
    """

    free: int
    live: int
    overdue: int
    resting: int
    both: int
    wanted: int

    @property
    def missing(self) -> int:
        """How many codes are in neither table; negative if there are too many."""
        return self.wanted - (self.free + self.live + self.overdue + self.resting - self.both)

    @property
    def clean(self) -> bool:
        """Whether every code is in exactly one table."""
        return self.both == 0 and self.missing == 0


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counts for metrics: ``live`` texts include the ``sealed``; ``oldest_overdue`` is in seconds."""

    free: int
    live: int
    sealed: int
    resting: int
    oldest_overdue: int


def fill_letter(database: Database, connection: Connection, letter: str) -> int:
    """Add the missing codes that begin with ``letter`` and return how many there were."""
    database.disable_timeouts(connection)
    # Two concurrent fills would add the same codes.
    database.lock(connection, "fill", letter)
    span = {"first": f"{letter}{LETTERS[0] * 3}", "last": f"{letter}{LETTERS[-1] * 3}"}
    present = connection.scalars(_count_present, span).one()
    if present == PER_LETTER:
        return 0
    if present:
        connection.execute(_add_missing, {"letter": letter})
    elif not database.copy_rows(connection, pool, _codes_of(letter)):
        connection.execute(_add_all, {"letter": letter})
    return int(PER_LETTER - present)


def _codes_of(letter: str) -> Iterator[tuple[str]]:
    return (("".join((letter, *rest)),) for rest in product(LETTERS, repeat=LENGTH - 1))


def count(connection: Connection, now: int, pool_size: int = SPACE) -> Audit:
    """Count where the ``pool_size`` codes are, as of ``now`` in UTC seconds."""
    row = connection.execute(_audit, {"now": now}).one()
    return Audit(row.free, row.live, row.overdue, row.resting, row.both, pool_size)


def stats(connection: Connection, now: int) -> PoolStats:
    """Count for metrics, as of ``now`` in UTC seconds."""
    row = connection.execute(_stats, {"now": now}).one()
    overdue = 0 if row.oldest is None else now - row.oldest
    return PoolStats(row.free, row.live, row.sealed, row.resting, overdue)


def count_free(connection: Connection) -> int:
    """Return how many codes are free."""
    return int(connection.scalars(select(func.count()).select_from(pool)).one())


def _span(table: Table) -> ColumnElement[bool]:
    # Not "between": SQLAlchemy would write the collation where PostgreSQL does not accept it.
    return (table.c.code >= bindparam("first")) & (table.c.code <= bindparam("last"))


def _how_many_in(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(_span(table)).scalar_subquery()


# In one statement, so that a code which moves meanwhile is counted exactly once.
_count_present = select(_how_many_in(pool) + _how_many_in(text))

_letters = (
    values(column("letter", Text), name="letters").data([(letter,) for letter in LETTERS]).cte("letters")
)
_second, _third, _fourth = (_letters.alias(name) for name in ("second", "third", "fourth"))
_made = bindparam("letter", type_=Text) + _second.c.letter + _third.c.letter + _fourth.c.letter
_every = _second.join(_third, true()).join(_fourth, true())
_all_codes = select(_made.label("code")).select_from(_every)
_add_all = insert(pool).from_select(["code"], _all_codes)
_add_missing = insert(pool).from_select(
    ["code"],
    _all_codes.where(
        ~exists().where(pool.c.code == _made).correlate_except(pool),
        ~exists().where(text.c.code == _made).correlate_except(text),
    ),
)


def _how_many(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(text).where(condition).scalar_subquery()


_audit = select(
    select(func.count()).select_from(pool).scalar_subquery().label("free"),
    _how_many(is_live).label("live"),
    _how_many(has_body & is_expired).label("overdue"),
    _how_many(~has_body).label("resting"),
    _how_many(text.c.code.in_(select(pool.c.code))).label("both"),
)

_stats = select(
    select(func.count()).select_from(pool).scalar_subquery().label("free"),
    _how_many(is_live).label("live"),
    _how_many(is_live & text.c.seal.is_not(None)).label("sealed"),
    _how_many(~has_body).label("resting"),
    select(func.min(text.c.expires_at)).where(has_body, is_expired).scalar_subquery().label("oldest"),
)
