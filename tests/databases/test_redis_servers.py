"""Two servers that share a Redis: one limit for both, and no readable secret in it."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from saver.codes import Code
from saver.redis_client import make_pool
from saver.seal import encode
from tests.conftest import NO_LIMITS
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.snapshot import put_codes
from tests.support.threads import run_concurrently

BUDGET = 10
SECRET = "one secret for all the servers, 0123456789"
LOAD, WRITE = "/api/v1/load", "/api/v1/write"
BODIES = {LOAD: {"code": "qqqq"}, WRITE: {"text": "x"}}
CLAIM = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
    migrated: Path,
    started_redis: RedisServer,
) -> Iterator[list[Server]]:
    settings = {
        **NO_LIMITS,
        "misses_a_minute": BUDGET,
        "misses_a_day_per_network": 25,
        "writes_a_minute": BUDGET,
        "trusted_proxies": "127.0.0.1",
        "rate_limit_storage": started_redis.url,
        "secret_key": SECRET,
    }
    made = []
    for name in ("one", "other"):
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(migrated, folder / "saver.db")
        put_codes(folder / "saver.db", [Code.nth(number) for number in range(100)])
        made.append(Server(folder, settings, processes=4, threads=5))
    with made[0], made[1]:
        yield made


@pytest.fixture(autouse=True)
def _nothing_is_spent(redis_server: RedisServer) -> None:
    """The Redis is emptied before each test."""


def status(server: Server, source: str, path: str, **more: str) -> int:
    return server.post(path, {**BODIES[path], **more}, source)[0]


def post_concurrently(servers: list[Server], sources: list[str], path: str, **more: str) -> Counter[int]:
    """Each source asks each of the servers."""
    return Counter(
        run_concurrently(
            [partial(status, server, source, path, **more) for source in sources for server in servers]
        )
    )


@pytest.mark.parametrize("number", range(4))
def test_concurrent_misses_share_one_limit(servers: list[Server], number: int) -> None:
    sources = [f"192.0.2.{number}"] * 20
    assert post_concurrently(servers, sources, LOAD) == {404: BUDGET, 429: 40 - BUDGET}


def test_a_question_to_one_server_admits_one_answer_to_either(servers: list[Server]) -> None:
    assert status(servers[0], "192.0.2.6", LOAD) == 404
    answered = post_concurrently(servers, ["192.0.2.6"] * 20, LOAD, proof=encode(bytes(32)))
    assert answered == {404: BUDGET, 429: 40 - BUDGET}


def test_concurrent_writes_share_one_limit(servers: list[Server]) -> None:
    sources = ["192.0.2.7"] * 20
    assert post_concurrently(servers, sources, WRITE) == {201: BUDGET, 429: 40 - BUDGET}


def test_a_64_is_one_source_on_both(servers: list[Server]) -> None:
    sources = [f"2001:db8:1:1::{number:x}" for number in range(20)]
    assert post_concurrently(servers, sources, LOAD) == {404: BUDGET, 429: 40 - BUDGET}


def test_a_48_has_one_budget_on_both(servers: list[Server]) -> None:
    sources = [f"2001:db8:2:{number:x}::1" for number in range(20)]
    assert post_concurrently(servers, sources, LOAD) == {404: 25, 429: 15}


def test_nothing_in_it_can_be_read(make_app: Callable[..., Flask], redis_server: RedisServer) -> None:
    limits = {
        "misses_a_minute": 50,
        "misses_a_day": 100,
        "loads_a_minute": 500,
        "misses_a_day_per_network": 50,
        "misses_a_day_in_all": 1_000,
    }
    client = make_app(rate_limit_storage=redis_server.url, **limits).test_client()
    headers = {"Idempotency-Key": CLAIM}
    written = client.post(
        "/api/v1/write", json={"text": "CANARYTEXT", "password": "CANARYPASS"}, headers=headers
    ).json
    code, token = written["code"], written["owner_token"]
    for address in ("192.0.2.77", "2001:db8:77:77::77"):
        for body in ({}, {"password": "CANARYWRONG"}, {"password": "CANARYPASS"}):
            client.post(
                "/api/v1/load", json={"code": code, **body}, environ_overrides={"REMOTE_ADDR": address}
            )
        client.post("/api/v1/load", json={"code": "qQzX"}, environ_overrides={"REMOTE_ADDR": address})
    dump = redis_server.dump()
    kinds = {b"/".join(line.split(b"/")[:3]) for line in dump.split(b"\n") if line.startswith(b"saver/")}
    expected = {
        b"saver/count/miss",
        b"saver/count/miss-network",
        b"saver/count/miss-all",
        b"saver/count/load",
    }
    assert expected <= kinds
    addresses = [b"192.0.2", bytes([192, 0, 2, 77]), b"2001:db8", b"\x20\x01\x0d\xb8"]
    # An attacker can hash all codes, so a plain hash of one would show it.
    hashed = [hashlib.sha256(word.encode()) for word in (code, "qQzX")]
    hashes = [form for one in hashed for form in (one.digest(), one.hexdigest().encode())]
    for secret in [b"CANARY", b"8c5a2f9e", code.encode(), b"qQzX", token.encode(), *addresses, *hashes]:
        assert secret not in dump
    assert min(redis_server.ttls().values()) >= 0


def test_a_load_is_two_round_trips_and_one_more_for_what_is_noted(
    make_app: Callable[..., Flask], redis_server: RedisServer
) -> None:
    limits = {"misses_a_minute": 50, "misses_a_day_in_all": 1_000, "loads_a_minute": 500}
    client = make_app(rate_limit_storage=redis_server.url, writes_a_minute=50, **limits).test_client()
    code = client.post(WRITE, json={"text": "x"}).json["code"]
    other = client.post(WRITE, json={"text": "y"}).json["code"]
    for known in (code, "qqqq"):
        client.post(LOAD, json={"code": known})
    with Redis(connection_pool=make_pool(redis_server.url, 1)) as marking:
        marking.ping()
        trips = []
        for path, body in ((LOAD, {"code": code}), (LOAD, {"code": other}), (LOAD, BODIES[LOAD])):
            with redis_server.monitored(marking) as sent:
                client.post(path, json=body)
            trips.append(sent)
    assert trips == [["EVALSHA"] * 2, ["EVALSHA"] * 3, ["EVALSHA"] * 3]
