"""The operator's routes behind Apache: who may use them."""

from __future__ import annotations

from tests.servers.apache.instance import Apache
from tests.servers.client import Client


def test_the_operators_routes_answer_the_operator(https: Client) -> None:
    assert b"saver_codes" in https.get("/metrics").body
    assert {"database", "schema", "sweeper"} < set(https.get("/readyz").document)


def test_everybody_may_ask_whether_it_lives(apache: Apache) -> None:
    assert apache.client.get("/healthz", source="127.0.0.2").status == 200
