"""The pool as a whole: fill it, count it, audit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

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

    ``duplicated`` counts codes that are in the pool and under a text, ``not_wiped`` texts that
    have expired and still have their bodies. ``pool_size`` is how many codes there must be.
    """

    free: int
    live: int
    not_wiped: int
    cooling_down: int
    duplicated: int
    pool_size: int

    @property
    def total(self) -> int:
        """How many codes there are."""
        return self.free + self.live + self.not_wiped + self.cooling_down - self.duplicated

    @property
    def missing(self) -> int:
        """How many codes are in neither table; negative if there are too many."""
        return self.pool_size - self.total

    @property
    def is_consistent(self) -> bool:
        """Whether every code is in exactly one table."""
        return self.duplicated == 0 and self.missing == 0


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counts for metrics: ``live`` includes ``sealed``.

    ``oldest_not_wiped`` is how many seconds ago the oldest text expired that is not wiped; 0 if all are.
    """

    free: int
    live: int
    sealed: int
    cooling_down: int
    oldest_not_wiped: int


class KeyCounts(NamedTuple):
    """Live texts that the current key encrypted, that another known key did, and that no known key did."""

    current: int
    old: int
    unknown: int


def is_full(connection: Connection) -> bool:
    """Whether no code is missing. SQLite counts whole tables ten times as fast as ranges of them."""
    return bool(connection.scalars(_count_all).one() == SPACE)


def fill_letter(database: Database, connection: Connection, letter: str) -> int:
    """Add the missing codes that begin with ``letter`` and return how many there were."""
    database.disable_timeouts(connection)
    # Two concurrent fills would add the same codes.
    database.lock(connection, "fill", letter)
    code_range = {"first": f"{letter}{LETTERS[0] * 3}", "last": f"{letter}{LETTERS[-1] * 3}"}
    present = connection.scalars(_count_present, code_range).one()
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
    return Audit(row.free, row.live, row.not_wiped, row.cooling_down, row.duplicated, pool_size)


def stats(connection: Connection, now: int) -> PoolStats:
    """Count for metrics, as of ``now`` in UTC seconds."""
    row = connection.execute(_stats, {"now": now}).one()
    age = 0 if row.oldest is None else now - row.oldest
    return PoolStats(row.free, row.live, row.sealed, row.cooling_down, age)


def count_by_key(connection: Connection, now: int, key_ids: Sequence[bytes]) -> KeyCounts:
    """Count the live texts by their keys, as of ``now`` in UTC seconds. The first id is the current one."""
    counts = {key_id: number for key_id, number in connection.execute(_by_key, {"now": now})}
    current, known = counts.get(key_ids[0], 0), sum(counts.get(key_id, 0) for key_id in key_ids)
    return KeyCounts(current, known - current, sum(counts.values()) - known)


def count_free(connection: Connection) -> int:
    """Return how many codes are free."""
    return connection.scalars(select(_count_rows(pool))).one()


def count_open(connection: Connection, now: int) -> int:
    """Return how many texts without a password are live, as of ``now`` in UTC seconds."""
    return int(connection.scalars(_open, {"now": now}).one())


def _is_in_range(table: Table) -> ColumnElement[bool]:
    # Not "between": SQLAlchemy would write the collation where PostgreSQL does not accept it.
    return (table.c.code >= bindparam("first")) & (table.c.code <= bindparam("last"))


def _count_codes_in(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(_is_in_range(table)).scalar_subquery()


def _count_rows(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).scalar_subquery()


# Each is one statement, so that a code which moves meanwhile is counted exactly once.
_count_all = select(_count_rows(pool) + _count_rows(text))
_count_present = select(_count_codes_in(pool) + _count_codes_in(text))

_letters = (
    values(column("letter", Text), name="letters").data([(letter,) for letter in LETTERS]).cte("letters")
)
_second, _third, _fourth = (_letters.alias(name) for name in ("second", "third", "fourth"))
_code = bindparam("letter", type_=Text) + _second.c.letter + _third.c.letter + _fourth.c.letter
_letter_combinations = _second.join(_third, true()).join(_fourth, true())
_all_codes = select(_code.label("code")).select_from(_letter_combinations)
_add_all = insert(pool).from_select(["code"], _all_codes)
_add_missing = insert(pool).from_select(
    ["code"],
    _all_codes.where(
        ~exists().where(pool.c.code == _code).correlate_except(pool),
        ~exists().where(text.c.code == _code).correlate_except(text),
    ),
)


def _count_texts(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(text).where(condition).scalar_subquery()


_audit = select(
    select(func.count()).select_from(pool).scalar_subquery().label("free"),
    _count_texts(is_live).label("live"),
    _count_texts(has_body & is_expired).label("not_wiped"),
    _count_texts(~has_body).label("cooling_down"),
    _count_texts(text.c.code.in_(select(pool.c.code))).label("duplicated"),
)

_open = select(func.count()).select_from(text).where(is_live, text.c.seal.is_(None))
_by_key = select(text.c.key_id, func.count()).where(is_live).group_by(text.c.key_id)

_stats = select(
    select(func.count()).select_from(pool).scalar_subquery().label("free"),
    _count_texts(is_live).label("live"),
    _count_texts(is_live & text.c.seal.is_not(None)).label("sealed"),
    _count_texts(~has_body).label("cooling_down"),
    select(func.min(text.c.expires_at)).where(has_body, is_expired).scalar_subquery().label("oldest"),
)
