"""Two servers that share a PostgreSQL and a Redis: a live transfer goes over both of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from random import Random

import pytest

from saver.seal import encode
from tests.conftest import NO_LIMITS
from tests.support.postgres import Cluster, PostgresDatabase
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.threads import run_concurrently

BUDGET = 5
MAKER = "192.0.2.1"
draw = Random(3).randbytes


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    migrated_on_server: PostgresDatabase,
    started_redis: RedisServer,
) -> Iterator[list[Server]]:
    database = cluster.make(migrated_on_server)
    settings = {
        **NO_LIMITS,
        "misses_a_minute": BUDGET,
        "trusted_proxies": "127.0.0.1",
        "database_url": database.address,
        "rate_limit_storage": started_redis.url,
        "secret_key": "one secret for all the servers, 0123456789",
    }
    made = [Server(tmp_path_factory.mktemp(name), settings, threads=8) for name in ("one", "other")]
    with made[0], made[1]:
        yield made
    cluster.drop(database)


@pytest.fixture(autouse=True)
def _nothing_is_spent(redis_server: RedisServer) -> None:
    """The Redis is emptied before each test."""


def post(
    server: Server, path: str, body: Mapping[str, object], source: str = MAKER
) -> tuple[int, dict[str, object]]:
    return server.post(f"/api/v1/live/{path}", body, source)


def opened(server: Server) -> dict[str, object]:
    """What the maker sends with each message."""
    token = encode(draw(16))
    status, answer = post(server, "open", {"token": token, "role": "sender"})
    assert status == 201
    return {"number": answer["number"], "token": token}


def test_a_transfer_over_both_costs_no_miss(servers: list[Server]) -> None:
    one, other = servers
    joiner = "192.0.2.8"
    for _ in range(2 * BUDGET):
        maker, offer = opened(one), {"session": encode(draw(16)), "share": encode(draw(32))}
        assert post(other, "offer", {**maker, **offer}) == (200, {"tries_left": 3})
        number, session = maker["number"], offer["session"]
        assert post(other, "join", {"number": number}, joiner)[1]["session"] == session
        answer = {"session": session, "share": encode(draw(32)), "tag": encode(draw(64))}
        me = {"number": number, "token": encode(draw(16))}
        assert post(one, "answer", {**me, **answer}, joiner)[0] == 204
        assert post(other, "poll", maker)[1]["tag"] == answer["tag"]
        tag = encode(draw(64))
        assert post(one, "confirm", {**maker, "session": session, "tag": tag})[0] == 204
        assert post(other, "poll", me, joiner)[1]["tag"] == tag
        assert post(other, "close", maker)[0] == 204
        assert post(one, "poll", me, joiner)[0] == 404


def test_of_40_answers_to_both_one_wins(servers: list[Server]) -> None:
    maker, offer = opened(servers[0]), {"session": encode(draw(16)), "share": encode(draw(32))}
    post(servers[1], "offer", {**maker, **offer})

    def answer(server: Server, source: str) -> int:
        mine = {"share": encode(draw(32)), "tag": encode(draw(64)), "token": encode(draw(16))}
        body = {"number": maker["number"], "session": offer["session"], **mine}
        return post(server, "answer", body, source)[0]

    sources = [f"192.0.2.{number}" for number in range(20, 40)]
    works = [partial(answer, server, source) for source in sources for server in servers]
    assert Counter(run_concurrently(works)) == {204: 1, 404: 39}


def test_opens_on_both_have_different_numbers(servers: list[Server]) -> None:
    works = [partial(opened, server) for server in servers * 20]
    numbers = [made["number"] for made in run_concurrently(works)]
    assert len(set(numbers)) == 40


def test_numbers_without_a_meeting_share_one_limit(servers: list[Server]) -> None:
    works = [partial(post, server, "join", {"number": 9_999}, "192.0.2.9") for server in servers * 10]
    statuses = Counter(status for status, _ in run_concurrently(works))
    assert statuses == {404: BUDGET, 429: 20 - BUDGET}
