"""The operator's routes behind Apache: who may use them."""

from __future__ import annotations

import re

from tests.servers.apache.instance import Apache
from tests.servers.client import Client
from tests.support.process import wait_until

LIMITS = re.compile(rb'^saver_requests_total\{route="v1.limits",status="200"\} (\d+)', re.MULTILINE)


def test_the_operators_routes_answer_the_operator(https: Client) -> None:
    assert b"saver_codes" in https.get("/metrics").body
    assert {"database", "schema", "sweeper"} < set(https.get("/readyz").document)


def test_everybody_may_ask_whether_it_lives(apache: Apache) -> None:
    assert apache.client.get("/healthz", source="127.0.0.2").status == 200


def test_the_requests_of_all_processes_are_counted(https: Client) -> None:
    def counted() -> int:
        return sum(map(int, LIMITS.findall(https.get("/metrics").body)))

    before = counted()
    for _ in range(30):
        assert https.get("/api/v1/limits").status == 200
    # A process writes what it has counted half a second later, with its next request.
    wait_until(lambda: counted() == before + 30, "each is counted once")
