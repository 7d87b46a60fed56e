"""Rate limits: which addresses share one, what is counted, and that no header resets one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver.api.client_address import _warn_once
from saver.ratelimit.addresses import UNIX, client_address, network_key, source_key
from tests.conftest import Clock, ClockOfBoth
from tests.support.redis_server import RedisServer

ADDRESS = "192.0.2.7"


@pytest.fixture(params=["file", "redis"])
def redis(request: pytest.FixtureRequest) -> RedisServer | None:
    """The place of the counts: every rule holds in a file and in Redis."""
    return request.getfixturevalue("redis_server") if request.param == "redis" else None


@pytest.fixture
def clock(redis: RedisServer | None) -> Clock:
    return ClockOfBoth(redis)


@pytest.fixture
def make_app(make_app: Callable[..., Flask], redis: RedisServer | None) -> Callable[..., Flask]:
    def make(**settings: object) -> Flask:
        return make_app(**{"rate_limit_storage": redis.url if redis else "", **settings})

    return make


def load(client: FlaskClient, code: str = "qqqq", address: str = ADDRESS, **headers: str) -> TestResponse:
    return client.post(
        "/api/v1/load", json={"code": code}, environ_overrides={"REMOTE_ADDR": address}, headers=headers
    )


@pytest.mark.parametrize(
    ("address", "source", "network"),
    [
        ("192.0.2.7", "192.0.2.7", None),
        ("::ffff:192.0.2.7", "192.0.2.7", None),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "None", None),
    ],
)
def test_who_is_counted_as_one(address: str, source: str, network: str | None) -> None:
    assert source_key(address) == source
    assert network_key(address) == network


@pytest.mark.parametrize(
    ("hops", "counted"),
    [
        ([], "10.0.0.1"),
        (["198.51.100.9"], "198.51.100.9"),
        (["203.0.113.1", "198.51.100.9"], "198.51.100.9"),
        (["203.0.113.1", "198.51.100.9", "10.0.0.2"], "198.51.100.9"),
        (["spoofed", "10.0.0.2"], "10.0.0.2"),
        (["", "198.51.100.9"], "198.51.100.9"),
        (["203.0.113.1", "198.51.100.9:41234"], "198.51.100.9"),
        (["198.51.100.9:41234", "10.0.0.2:80"], "198.51.100.9"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
    ],
)
def test_behind_proxies_the_last_untrusted_address_counts(hops: list[str], counted: str) -> None:
    trusted = [ip_network("10.0.0.0/24")]
    assert client_address("10.0.0.1", hops, trusted) == counted
    assert client_address("192.0.2.7", hops, trusted) == "192.0.2.7"
    assert client_address("10.0.0.1", hops, []) == "10.0.0.1"
    assert client_address("::ffff:10.0.0.1", hops, trusted).removeprefix("::ffff:") == counted
    assert client_address("", hops, trusted) == ""
    assert client_address("", hops, [*trusted, UNIX]) == (counted if hops else "")
    assert client_address("192.0.2.7", hops, [*trusted, UNIX]) == "192.0.2.7"


@pytest.mark.parametrize(
    "hop", ["unknown", "[2001:db8::1", "198.51.100.9:", "198.51.100.9:8:8", "198.51.100.300:1", "[::1]:x"]
)
def test_a_hop_that_is_no_address_counts_as_the_proxy(hop: str) -> None:
    assert client_address("10.0.0.1", [hop], [ip_network("10.0.0.0/24")]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("trusted", "header", "warned"),
    [
        ("", {"X-Forwarded-For": "198.51.100.9"}, "SAVER_TRUSTED_PROXIES is empty"),
        ("127.0.0.1", {"X-Forwarded-For": "unknown"}, "names no address"),
        ("127.0.0.1", {}, "names no address"),
        ("127.0.0.1", {"X-Forwarded-For": "198.51.100.9:41234"}, ""),
        ("", {}, ""),
    ],
)
def test_a_proxy_that_does_not_say_for_whom_it_asks_is_warned_of_once(
    make_app: Callable[..., Flask],
    caplog: pytest.LogCaptureFixture,
    trusted: str,
    header: dict[str, str],
    warned: str,
) -> None:
    _warn_once.cache_clear()
    client = make_app(trusted_proxies=trusted).test_client()
    for _ in range(3):
        load(client, address="127.0.0.1", **header)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == (1 if warned else 0)
    assert all(warned in warning and "127.0.0.1" not in warning for warning in warnings)


def test_the_eleventh_miss_in_a_minute_is_refused_with_the_time_to_wait(
    make_app: Callable[..., Flask], clock: Clock
) -> None:
    client = make_app(misses_a_minute=10).test_client()
    assert [load(client).status_code for _ in range(10)] == [404] * 10
    clock.tick(20)
    refused = load(client)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
    assert refused.json["type"] == "urn:saver:problem:too-many"
    clock.tick(40)
    assert load(client).status_code == 404


def test_hits_cost_nothing_and_are_refused_once_the_budget_is_spent(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=2).test_client()
    code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
    assert [load(client, code).status_code for _ in range(20)] == [200] * 20
    assert [load(client).status_code for _ in range(3)] == [404, 404, 429]
    assert load(client, code).status_code == 429
    assert load(client, code, "192.0.2.8").status_code == 200


OWNED = {"code": "qqqq", "owner_token": "x"}
LOOKING_UP = {
    "/api/v1/load": {"code": "qqqq"},
    "/load/": {"ldcode": "qqqq", "ldpassword": ""},
    "/api/v1/ack": {"code": "qqqq", "claim": "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"},
    "/api/v1/status": OWNED,
    "/api/v1/extend": {**OWNED, "expires_in": 600},
    "/api/v1/delete": OWNED,
}


def test_all_routes_with_a_code_share_one_limit(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=len(LOOKING_UP)).test_client()
    answered = {path: client.post(path, json=body).status_code for path, body in LOOKING_UP.items()}
    assert answered == {path: 200 if path == "/load/" else 404 for path in LOOKING_UP}
    answered = {path: client.post(path, json=body).status_code for path, body in LOOKING_UP.items()}
    assert answered == {path: 200 if path == "/load/" else 429 for path in LOOKING_UP}
    assert "Too many" in client.post("/load/", json=LOOKING_UP["/load/"]).json["message"]


def test_a_wrong_password_is_a_miss(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=2).test_client()
    code = client.post("/api/v1/write", json={"text": "x", "password": "right"}).json["code"]
    guesses = [{"code": code, "password": word} for word in ("a", "b", "right")]
    assert [client.post("/api/v1/load", json=guess).status_code for guess in guesses] == [404, 404, 429]


def test_what_is_no_code_costs_nothing(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=1).test_client()
    assert [load(client, "abc").status_code for _ in range(5)] == [422] * 5
    assert load(client).status_code == 404


def test_no_header_renews_a_budget(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=5).test_client()
    answers = []
    for number in range(1_000):
        spoofed = f"198.51.{number // 250}.{number % 250}"
        headers = {"X-Forwarded-For": spoofed, "X-Real-IP": spoofed, "Forwarded": f"for={spoofed}"}
        answers.append(load(client, **headers).status_code)
    assert answers == [404] * 5 + [429] * 995


@pytest.mark.slow
def test_a_whole_64_is_one_source_and_a_48_has_a_budget_of_its_own(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_day=5, misses_a_day_per_network=12).test_client()
    one_64 = [load(client, address=f"2001:db8:1:1::{number:x}").status_code for number in range(1, 10_001)]
    assert one_64 == [404] * 5 + [429] * 9_995
    one_48 = [load(client, address=f"2001:db8:1:{number:x}::1").status_code for number in range(2, 20)]
    assert one_48 == [404] * 7 + [429] * 11
    assert load(client, address="2001:db8:2::1").status_code == 404


def test_ipv4_in_ipv6_is_the_same_source(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=1).test_client()
    assert load(client, address="192.0.2.7").status_code == 404
    assert load(client, address="::ffff:192.0.2.7").status_code == 429


def test_once_all_misses_together_are_spent_each_source_has_one_an_hour(
    make_app: Callable[..., Flask], clock: Clock
) -> None:
    client = make_app(misses_a_day_in_all=3).test_client()
    code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
    assert [load(client, address=f"192.0.2.{n}").status_code for n in range(3)] == [404] * 3
    clock.tick(1)
    assert [load(client, address="192.0.2.9").status_code for _ in range(3)] == [404, 429, 429]
    assert load(client, code, address="192.0.2.9").status_code == 429
    assert [load(client, code, address="192.0.2.10").status_code for _ in range(5)] == [200] * 5
    clock.tick(3_600)
    assert [load(client, address="192.0.2.9").status_code for _ in range(2)] == [404, 429]


def test_writes_are_counted(make_app: Callable[..., Flask], clock: Clock) -> None:
    client = make_app(writes_a_minute=2).test_client()
    body = {"wrtext": "x", "wrpassword": "", "wrdelete_at": "1h"}
    assert client.post("/api/v1/write", json={"text": "x"}).status_code == 201
    assert client.post("/write/", json=body).status_code == 200
    assert client.post("/api/v1/write", json={"text": "x"}).status_code == 429
    assert client.post("/write/", json=body).status_code == 429
    clock.tick(60)
    assert client.post("/api/v1/write", json={"text": "x"}).status_code == 201


def test_health_is_never_limited(make_app: Callable[..., Flask]) -> None:
    client = make_app(loads_a_minute=1, writes_a_minute=1, misses_a_minute=1).test_client()
    assert {client.get("/healthz").status_code for _ in range(50)} == {200}


def test_a_budget_outlives_the_process(make_app: Callable[..., Flask]) -> None:
    assert [load(make_app(misses_a_minute=2).test_client()).status_code for _ in range(3)] == [404, 404, 429]


def test_no_address_is_stored(
    make_app: Callable[..., Flask], tmp_path: Path, redis: RedisServer | None
) -> None:
    client = make_app(misses_a_minute=5).test_client()
    load(client, address="192.0.2.77")
    stored = redis.dump() if redis else (tmp_path / "data" / "counts").read_bytes()
    assert stored.strip(b"\0")
    assert b"192.0.2" not in stored
    assert bytes([192, 0, 2, 77]) not in stored
