"""The limits of writes, which flask-limiter checks: what is charged, refunded and stored."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver.ratelimit import Charge, ChargeResult, SafeCounters
from saver.ratelimit.lookups import retry_after
from saver.ratelimit.mapped_file import MappedFileCounters
from tests.api.test_rate_limits import clock, make_app, redis  # noqa: F401 - fixtures
from tests.conftest import NOW, Clock
from tests.support.redis_server import RedisServer

NEIGHBOURS = [f"2001:db8:1:{number:x}::1" for number in range(4)]
SECRET = "s" * 32
DAY = NOW // 86_400


def write(client: FlaskClient, address: str = NEIGHBOURS[0], path: str = "/api/v1/write") -> TestResponse:
    return client.post(path, json={"text": "x"}, environ_overrides={"REMOTE_ADDR": address})


def key_of(kind: str, seconds: int, source: str) -> str:
    digest = hmac.digest(SECRET.encode(), f"{DAY} {kind} {source}".encode(), hashlib.sha256)
    return f"{kind}/{seconds}/{digest.hex()[:32]}"


@pytest.fixture
def count(tmp_path: Path, redis: RedisServer | None) -> Callable[[str], int]:  # noqa: F811
    """A stored count by its key."""

    def get(key: str) -> int:
        if redis:
            return int(cast("bytes | None", redis.client.get(f"saver/count/{key}")) or 0)
        return MappedFileCounters(tmp_path / "data" / "counts").get_counts([key], NOW)[0]

    return get


def test_a_refused_write_is_refunded_to_the_source_and_its_network(
    make_app: Callable[..., Flask],  # noqa: F811
    count: Callable[[str], int],
) -> None:
    client = make_app(writes_a_minute=2, writes_an_hour_per_network=4, secret_key=SECRET).test_client()
    assert [write(client).status_code for _ in range(10)] == [201] * 2 + [429] * 8
    assert count(key_of("write-network", 3_600, "2001:db8:1::/48")) == 2
    assert count(key_of("write", 60, "2001:db8:1::/64")) == 2
    # Its refused writes do not count for the other addresses of the network.
    assert [write(client, source).status_code for source in NEIGHBOURS[1:]] == [201, 201, 429]


def test_the_sources_of_a_network_at_its_limit_take_no_room(
    make_app: Callable[..., Flask],  # noqa: F811
    count: Callable[[str], int],
) -> None:
    limits = {"writes_a_minute": 5, "writes_an_hour": 5, "writes_an_hour_per_network": 2}
    client = make_app(**limits, secret_key=SECRET).test_client()
    assert [write(client, source).status_code for source in NEIGHBOURS] == [201, 201, 429, 429]
    sources = [f"2001:db8:1:{number:x}::/64" for number in range(4)]
    sources[0] = "2001:db8:1::/64"
    assert [count(key_of("write", 60, source)) for source in sources] == [1, 1, 0, 0]
    assert [count(key_of("write", 3_600, source)) for source in sources] == [1, 1, 0, 0]


def test_a_refusal_says_when_its_window_ends_and_is_counted(
    make_app: Callable[..., Flask],  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    app = make_app(writes_a_minute=1, writes_an_hour=2, writes_an_hour_per_network=9)
    client = app.test_client()
    assert write(client).status_code == 201
    clock.tick(20)
    by_minute = write(client)
    assert (by_minute.status_code, by_minute.json["type"]) == (429, "urn:saver:problem:too-many")
    assert int(by_minute.headers["Retry-After"]) == pytest.approx(40, abs=2)
    clock.tick(60)
    assert write(client).status_code == 201
    clock.tick(60)
    by_hour = write(client, path="/write/")
    assert int(by_hour.headers["Retry-After"]) == pytest.approx(3_600 - 140, abs=2)
    assert app.extensions["saver"].rate_limits.counts_today() == (0, 2)


@pytest.mark.parametrize(("left", "expected"), [(0.0, 1), (0.4, 1), (1.0, 1), (1.2, 2)])
def test_retry_after_is_at_least_a_second(left: float, expected: int) -> None:
    assert retry_after([ChargeResult(Charge("key", 1, 60), 2, left, NOW, NOW)]) == expected


def test_a_write_is_charged_to_all_its_limits_in_one_call(
    make_app: Callable[..., Flask],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    charge = SafeCounters.charge

    def counted(counters: SafeCounters, charges: Sequence[Charge], now: float) -> list[ChargeResult]:
        calls.append(len(charges))
        return charge(counters, charges, now)

    monkeypatch.setattr(SafeCounters, "charge", counted)
    client = make_app(writes_a_minute=5, writes_an_hour=5, writes_an_hour_per_network=5).test_client()
    assert write(client).status_code == 201
    assert write(client, "192.0.2.1").status_code == 201
    assert calls == [3, 2]


def test_a_limit_of_0_is_none(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app().test_client()
    assert {write(client).status_code for _ in range(4)} == {201}


def test_nothing_of_it_is_called_for_other_requests(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    app = make_app(writes_a_minute=1)
    called = [*app.before_request_funcs.get(None, []), *app.after_request_funcs[None]]
    called += app.teardown_request_funcs.get(None, [])
    assert not [one for one in called if "limiter" in getattr(one, "__module__", repr(one)).lower()]
