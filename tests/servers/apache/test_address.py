"""Who is asking: what budgets and the operator's routes see behind Apache."""

from __future__ import annotations

import pytest

from tests.servers.apache.client import Client
from tests.servers.apache.conftest import MISSES
from tests.servers.apache.instance import IMPERSONATOR, Apache

FORGED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host")


def miss(https: Client, source: str, **headers: str) -> int:
    """Load what is not there; the status."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return https.post("/api/v1/load", {"code": "qqqq"}, source=source, headers=told).status


def forge(header: str, hop: int) -> dict[str, str]:
    """A header that names another client than the one before."""
    return {header: f"for=198.51.100.{hop}" if header == "Forwarded" else f"198.51.100.{hop}"}


@pytest.mark.parametrize(("number", "header"), list(enumerate(FORGED)))
def test_no_header_renews_a_budget(https: Client, number: int, header: str) -> None:
    source = f"127.0.1.{number + 1}"
    forged = [forge(header, hop) for hop in range(MISSES + 3)]
    assert [miss(https, source, **each) for each in forged] == [404] * MISSES + [429] * 3


def test_every_address_has_a_budget_of_its_own(https: Client) -> None:
    assert {miss(https, "127.0.2.1") for _ in range(MISSES + 1)} == {404, 429}
    assert miss(https, "127.0.2.2") == 404


def test_an_ipv6_64_is_one_source(https: Client) -> None:
    """mod_remoteip, which only the tests load, makes the address that Apache sees."""
    asked = [
        miss(https, IMPERSONATOR, X_Test_Address=f"2001:db8:1:2::{host}") for host in range(1, MISSES + 2)
    ]
    assert asked == [404] * MISSES + [429]
    assert miss(https, IMPERSONATOR, X_Test_Address="2001:db8:1:3::1") == 404


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "//metrics", "/%6detrics", "/./readyz", "/x/../readyz"]
)
def test_the_operator_s_routes_are_for_the_operator(https: Client, path: str) -> None:
    assert https.get(path).status in (200, 503)
    assert https.get(path, source=IMPERSONATOR, headers={"X-Test-Address": "::1"}).status in (200, 503)
    for headers in ({}, {name: "127.0.0.1" for name in FORGED}):
        answer = https.get(path, source="127.0.0.2", headers=headers)
        assert (answer.status, answer.document["type"]) == (403, "urn:saver:problem:http-403")


def test_the_operator_s_routes_tell_what_they_should(https: Client) -> None:
    assert b"saver_codes" in https.get("/metrics").body
    assert {"database", "schema", "sweeper"} < set(https.get("/readyz").document)


def test_everybody_may_ask_whether_it_lives(apache: Apache) -> None:
    assert apache.client.get("/healthz", source="127.0.0.2").status == 200
