"""Which code is leased: each free one with the same probability, whatever else is leased.

Chi-square with the 99.9 % quantile; the seed is fixed, so a pass stays a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain, permutations, product
from pathlib import Path
from random import Random

import pytest

from saver.codes import ALPHABET, SPACE, Code
from saver.database.base import ProbePlan
from saver.store import PoolEmptyError, TextStore
from saver.store.allocate import CodeAllocator
from tests.conftest import ALL_DATABASES
from tests.support.snapshot import Database, execute, put_codes
from tests.support.texts import save

DATABASES = ALL_DATABASES

_LEASES = 1_600
_RUN = 8
# The 99.9 % quantiles of chi-square, by number of bins.
_LIMITS = {4: 16.27, 8: 24.32, 16: 37.70, 26: 52.62, 52: 87.97}


class DealtRandom(Random):
    """Random bytes that become these codes."""

    def __init__(self, codes: Iterable[str]) -> None:
        super().__init__(1)
        self._bytes = bytes(ALPHABET.index(letter) for letter in "".join(codes))

    def randbytes(self, n: int) -> bytes:
        assert n >= len(self._bytes)
        return self._bytes


def unevenness(bins: Iterable[object], number: int) -> float:
    """Chi-square of how often each of ``number`` equally likely bins comes up."""
    counted = Counter(bins)
    expected = counted.total() / number
    empty = (number - len(counted)) * expected
    return empty + sum((times - expected) ** 2 / expected for times in counted.values())


def leased(store: TextStore, number: int = _LEASES) -> list[str]:
    return [save(store, "x", 60).code for _ in range(number)]


def put_many(database: Database, codes: list[str]) -> None:
    if isinstance(database, Path):
        put_codes(database, codes)
    else:
        execute(database, "INSERT INTO code SELECT unnest(?::text[])", [(codes,)])


def spread(number: int) -> list[str]:
    """Runs of neighbours, the same distance apart."""
    runs = range(0, SPACE, SPACE // (number // _RUN))
    return [Code.nth(start + place) for start in runs for place in range(_RUN) if start + place < SPACE]


def block(number: int) -> list[str]:
    """Neighbours only, in the middle of the space."""
    return [Code.nth(SPACE // 2 + place) for place in range(number)]


def half_in_a_block(number: int) -> list[str]:
    return list(dict.fromkeys(chain(block(number // 2), spread(number // 2))))


class TestEveryFreeCodeIsEquallyLikely:
    def test_by_counting(self, store: TextStore, codes: list[str]) -> None:
        draw = CodeAllocator(store.database, Random(1))
        with store.database.engine.connect() as connection:
            drawn = [draw.find_by_counting(connection)[0] for _ in range(4_000)]
        assert set(drawn) == set(codes)
        assert unevenness(drawn, 4) < _LIMITS[4]

    @pytest.mark.parametrize(
        ("number", "lies"),
        [
            (SPACE // 16, half_in_a_block),
            *product([SPACE // 100, SPACE // 1_000], [spread, block, half_in_a_block]),
        ],
    )
    def test_where_most_are_leased(
        self, store: TextStore, database: Database, number: int, lies: Callable[[int], list[str]]
    ) -> None:
        execute(database, "DELETE FROM code")
        free = lies(number)
        put_many(database, free)
        order = sorted(free, key=lambda code: [ALPHABET.index(letter) for letter in code])
        places = {code: place for place, code in enumerate(order)}
        drawn = [places[code] for code in leased(store)]
        # Sixteen parts of the same size, so that a block has several; and the places in a run.
        assert unevenness((place * 16 // len(free) for place in drawn), 16) < _LIMITS[16]
        assert unevenness((place % _RUN for place in drawn), _RUN) < _LIMITS[_RUN]

    @pytest.mark.databases("sqlite")
    def test_where_half_are_free_and_where_all_are(self, store: TextStore, database: Database) -> None:
        list(store.fill())
        drawn = leased(store)
        assert unevenness((code[0] for code in drawn), 52) < _LIMITS[52]
        assert unevenness((code[3] for code in drawn), 52) < _LIMITS[52]
        execute(database, "DELETE FROM code WHERE substr(code, 4) < 'a'")
        drawn = leased(store)
        assert unevenness((code[0] for code in drawn), 52) < _LIMITS[52]
        assert unevenness((code[3] for code in drawn), 26) < _LIMITS[26]


def test_of_a_list_of_codes_the_first_free_one_is_leased(
    store: TextStore, database: Database, codes: list[str]
) -> None:
    for order in permutations(codes):
        wanted = ["bbbb", order[0], "aaab", *order[1:], order[0], "ZZZY"]
        plan = ProbePlan((len(wanted),), low=0)
        store.writer.allocate = CodeAllocator(store.database, DealtRandom(wanted), plan)
        assert leased(store, len(codes)) == list(order)
        with pytest.raises(PoolEmptyError):
            save(store, "x", 60)
        execute(database, "DELETE FROM text")
        put_codes(database, codes)


def test_a_pool_that_was_nearly_empty_is_drawn_from_as_usual_once_it_is_not(
    store: TextStore, codes: list[str]
) -> None:
    assert set(leased(store, len(codes))) == set(codes)
    assert store.writer.allocate.is_pool_low
    list(store.fill())
    save(store, "x", 60)
    assert not store.writer.allocate.is_pool_low


def test_an_empty_pool_is_no_code(store: TextStore, codes: list[str]) -> None:
    leased(store, len(codes))
    with store.database.engine.connect() as connection, pytest.raises(PoolEmptyError):
        CodeAllocator(store.database, Random(1)).find_by_counting(connection)
