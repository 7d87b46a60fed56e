"""Guesses at the same time: exactly the limit is looked up, with any number of processes and threads."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

import pytest
from redis import Redis

from saver.ratelimit import Charge, Counters
from saver.ratelimit.lookups import RateLimitExceededError
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.redis import RedisCounters
from saver.ratelimit.rules import RateLimits
from saver.redis_client import make_pool
from saver.seal import encode
from tests.conftest import NO_LIMITS, NOW, Clock, ClockOfBoth, look_up, settings_in
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.snapshot import put_codes
from tests.support.threads import run_concurrently

BUDGET = 10
ROUNDS = 12
WRONG = encode(bytes(32))
LIMITS = {**NO_LIMITS, "misses_a_minute": BUDGET, "misses_a_day": 40, "trusted_proxies": "127.0.0.1"}


SIZES = [((1, 20), "file"), ((4, 5), "file"), ((4, 5), "redis")]


@pytest.fixture(scope="module", params=SIZES, ids=lambda given: f"{given[0][0]}x{given[0][1]}-{given[1]}")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guesses")
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", ["aaaa", "ZZZZ"])
    (processes, threads), place = request.param
    settings: dict[str, object] = {**LIMITS}
    if place == "redis":
        redis: RedisServer = request.getfixturevalue("started_redis")
        redis.client.flushall()
        settings["rate_limit_storage"] = redis.url
    with Server(folder, settings, processes=processes, threads=threads) as started:
        yield started


def status_of_load(server: Server, source: str, code: str, **more: str) -> int:
    return server.post("/api/v1/load", {"code": code, **more}, source)[0]


def load_concurrently(server: Server, source: str, codes: list[str]) -> Counter[int]:
    return Counter(run_concurrently([partial(status_of_load, server, source, code) for code in codes]))


def written(server: Server) -> str:
    """The code of a new text."""
    status, answer = server.post("/api/v1/write", {"text": "here", "expires_in": 600})
    assert status == 201
    return str(answer["code"])


def until_refused(server: Server, source: str) -> int:
    """How many misses are answered before one is refused."""
    for number in range(BUDGET + 2):
        if status_of_load(server, source, "qqqq") != 404:
            return number
    return BUDGET + 2


def test_of_concurrent_misses_exactly_the_limit_is_looked_up(server: Server) -> None:
    # Each round begins with new windows, because a count can be lost when a window is opened.
    found = [load_concurrently(server, f"198.51.100.{number}", ["qqqq"] * 20) for number in range(ROUNDS)]
    assert found == [Counter({404: BUDGET, 429: 20 - BUDGET})] * ROUNDS


def test_concurrent_loads_of_a_right_code_are_all_answered(server: Server) -> None:
    """They are more than the limit of misses, but none is a miss."""
    code = written(server)
    for number in range(ROUNDS):
        assert load_concurrently(server, f"192.0.2.{number}", [code] * 3 * BUDGET) == {200: 3 * BUDGET}


def test_hits_between_misses_are_refunded(server: Server) -> None:
    code = written(server)
    random = Random(11)
    for number in range(ROUNDS):
        source = f"203.0.113.{number}"
        codes = [code] * 12 + ["qqqq"] * 8
        random.shuffle(codes)
        found = load_concurrently(server, source, codes)
        assert found == {200: 12, 404: 8}
        assert until_refused(server, source) == BUDGET - 8


def test_of_concurrent_proofs_a_question_admits_one(server: Server) -> None:
    """Each round asks once and has nine misses left; every proof is wrong."""
    for number in range(ROUNDS):
        source = f"198.51.101.{number}"
        assert status_of_load(server, source, "qqqq") == 404
        works = [partial(status_of_load, server, source, "qqqq", proof=WRONG)] * 2 * BUDGET
        assert Counter(run_concurrently(works)) == {404: BUDGET, 429: BUDGET}
        assert until_refused(server, source) == 0


def test_concurrent_questions_and_proofs_are_limited(server: Server) -> None:
    for number in range(ROUNDS):
        source = f"198.51.102.{number}"
        assert load_concurrently(server, source, ["qqqq"] * 3 * BUDGET) == {404: BUDGET, 429: 2 * BUDGET}
        # Each of the ten questions that got a 404 pays for one proof.
        works = [partial(status_of_load, server, source, "qqqq", proof=WRONG)] * 3 * BUDGET
        assert Counter(run_concurrently(works)) == {404: BUDGET, 429: 2 * BUDGET}
        assert until_refused(server, source) == 0


@pytest.mark.parametrize("seconds", [60, 3_600, 86_400])
def test_who_looked_at_the_clock_first_and_comes_second_is_counted_too(tmp_path: Path, seconds: int) -> None:
    # The time is read before the lock is taken, so times may not be in the order of the locks.
    shared = MappedFileCounters(tmp_path / "counts")
    charge = [Charge("key", BUDGET, seconds)]
    counted = [shared.charge(charge, NOW + late)[0].counted for late in (0.002, 0.001, 0.003, 0)]
    assert counted == [1, 2, 3, 4]


@pytest.fixture(params=["file", "redis"])
def rate_limits(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[RateLimits, Clock]:
    """A limit of ten misses a minute, in a file and in Redis, and its clock."""
    redis = request.getfixturevalue("redis_server") if request.param == "redis" else None
    clock = ClockOfBoth(redis)
    counters: Counters = MappedFileCounters(tmp_path / "counts")
    if redis:
        counters = RedisCounters(Redis(connection_pool=make_pool(redis.url, 2)))
    settings = settings_in(tmp_path, misses_a_minute=BUDGET)
    return RateLimits(counters, settings, clock=clock, secret=bytes(32)), clock


def test_a_look_up_in_flight_is_counted(rate_limits: tuple[RateLimits, Clock]) -> None:
    ours, _clock = rate_limits
    with ExitStack() as in_flight:
        for _ in range(BUDGET):
            in_flight.enter_context(look_up(ours, "192.0.2.1", LookupError))
        assert count_misses(ours) == 0
    assert count_misses(ours) == BUDGET


def test_a_hit_that_ends_in_a_later_window_is_not_taken_from_its_misses(
    rate_limits: tuple[RateLimits, Clock],
) -> None:
    ours, clock = rate_limits
    assert count_misses(ours) == BUDGET
    clock.tick(60)
    with look_up(ours, "192.0.2.1", LookupError):
        clock.tick(60)
        assert count_misses(ours) == BUDGET
    assert count_misses(ours) == 0


def count_misses(rate_limits: RateLimits) -> int:
    """How many misses are allowed until one is refused."""
    for number in range(2 * BUDGET):
        try:
            with look_up(rate_limits, "192.0.2.1", LookupError):
                raise LookupError
        except LookupError:
            continue
        except RateLimitExceededError:
            return number
    return 2 * BUDGET
