"""Attacks in simulated time: what an attacker gets is counted, not estimated."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from saver.codes import SPACE, Code
from saver.ratelimit.lookups import RateLimitExceededError
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.rules import RateLimits
from saver.seal import Keys, Seal
from saver.settings import Settings
from saver.store import NoTextError, TextStore
from tests.conftest import NOW, Clock, look_up
from tests.support.texts import save

DAY = 86_400
OPEN_TEXTS = 1_000
SOURCES = 1_000


class MissError(Exception):
    """Guess a code that finds nothing."""


def enumerate_for_a_day(rate_limits: RateLimits, clock: Clock, random: Random) -> tuple[int, int]:
    """1,000 sources guess as fast as they may for a day; (misses, texts found).

    They share what they have tried, wait exactly as long as Retry-After says, and a
    text that was found is replaced by a new one.
    """
    untried = iter(random.sample(range(SPACE), 200_000))
    open_texts = set(random.sample(range(SPACE), OPEN_TEXTS))
    waiting = [(clock.now, source) for source in range(SOURCES)]
    end = clock.now + DAY
    misses = found = 0
    while waiting[0][0] < end:
        clock.now, source = heapq.heappop(waiting)
        try:
            with look_up(rate_limits, f"198.51.{source // 250}.{source % 250}", MissError):
                if next(untried) not in open_texts:
                    raise MissError
            found += 1
        except MissError:
            misses += 1
        except RateLimitExceededError as spent:
            heapq.heappush(waiting, (clock.now + spent.retry_after, source))
            continue
        heapq.heappush(waiting, (clock.now, source))
    return misses, found


@pytest.mark.slow
def test_enumeration_by_a_thousand_sources_finds_a_handful(tmp_path: Path) -> None:
    found_each_day = []
    for day in range(5):
        clock = Clock(NOW - NOW % DAY)
        storage = MappedFileCounters(tmp_path / f"counts{day}")
        settings = Settings(_env_file=None, data_dir=tmp_path, loads_a_minute=0)
        rate_limits = RateLimits(storage, settings, clock=clock, secret=b"secret")
        misses, found = enumerate_for_a_day(rate_limits, clock, Random(day))
        # 20,000 a day for all together, then one an hour for each source.
        assert misses <= 20_000 + 24 * SOURCES
        found_each_day.append(found)
    assert sorted(found_each_day)[2] <= 6


def test_an_attacker_cannot_lock_a_text_for_its_owner(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=10, misses_a_day=200).test_client()
    code = client.post("/api/v1/write", json={"text": "mine", "password": "right"}).json["code"]
    open_code = client.post("/api/v1/write", json={"text": "mine"}).json["code"]
    for stranger in range(30):
        for _ in range(12):
            client.post(
                "/api/v1/load",
                json={"code": code},
                environ_overrides={"REMOTE_ADDR": f"203.0.113.{stranger}"},
            )
    assert client.post("/api/v1/load", json={"code": code, "password": "right"}).status_code == 200
    assert client.post("/api/v1/load", json={"code": open_code}).status_code == 200


def test_concurrent_guesses_of_a_password_are_limited(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(misses_a_minute=10, max_concurrent_kdf=40)
    store: TextStore = app.extensions["saver"].store
    code = save(store, "secret", 600, "right").code
    derived: list[str] = []
    derive = store.deriver.derive

    def counted(password: str, seal: Seal) -> Keys:
        derived.append(password)
        return derive(password, seal)

    monkeypatch.setattr(store.deriver, "derive", counted)
    statuses: list[int] = []

    def guess(number: int) -> None:
        body = {"code": code, "password": f"wrong {number}"}
        statuses.append(app.test_client().post("/api/v1/load", json=body).status_code)

    threads = [threading.Thread(target=guess, args=[number]) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(statuses) == [404] * 10 + [429] * 30
    assert len(derived) == 10


def test_beyond_the_bound_passwords_wait_their_turn_and_open_loads_do_not(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(max_concurrent_kdf=1)
    store: TextStore = app.extensions["saver"].store
    open_code = save(store, "open", 600).code
    held = store.deriver._admitted
    assert held.acquire(blocking=False)
    assert held.acquire(blocking=False)
    busy = app.test_client().post("/api/v1/load", json={"code": "qqqq", "password": "x"})
    assert (busy.status_code, busy.json["type"]) == (503, "urn:saver:problem:busy")
    assert busy.headers["Retry-After"] == "1"
    assert app.test_client().post("/api/v1/load", json={"code": open_code}).status_code == 200
    held.release()
    held.release()
    with pytest.raises(NoTextError):
        store.load(Code("qqqq"), "x")
