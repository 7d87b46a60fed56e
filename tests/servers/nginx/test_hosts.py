"""Who is led where, who is asking, and what TLS takes: the same as with Apache."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from tests.servers.apache.client import Client
from tests.servers.apache.names import BARE, WWW
from tests.servers.apache.test_address import FORGED, forge, miss
from tests.servers.apache.test_hosts import CHALLENGE
from tests.servers.apache.test_tls import CIPHERS, context, taken_of_1_2
from tests.servers.nginx.conftest import MISSES
from tests.servers.nginx.instance import IMPERSONATOR, Nginx

HSTS = "max-age=63072000"
PATHS = ["/", "/writer?expires_in=60", "/a%20b?c=%20", "/a%0d%0aX-Evil:1", "//evil.test/"]


@pytest.mark.parametrize("host", [BARE, WWW, "evil.test", f"{WWW}:8080", "127.0.0.1"])
@pytest.mark.parametrize("path", PATHS)
def test_http_leads_to_the_written_name(https: Client, host: str, path: str) -> None:
    answer = https.get(path, host=host, tls=False)
    assert (answer.status, answer.headers["location"]) == (301, f"https://{WWW}{path}")
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("host", [BARE, "evil.test", "127.0.0.1"])
@pytest.mark.parametrize("path", [*PATHS, "/metrics"])
def test_every_other_name_on_https_leads_there_too(https: Client, host: str, path: str) -> None:
    answer = https.get(path, host=host)
    assert (answer.status, answer.headers["location"]) == (308, f"https://{WWW}{path}")
    assert answer.headers["strict-transport-security"] == HSTS


@pytest.mark.parametrize("host", [BARE, WWW])
def test_challenges_are_served_for_both_names(nginx: Nginx, https: Client, host: str) -> None:
    (nginx.root / "acme" / CHALLENGE.lstrip("/")).write_text("token.thumbprint")
    answer = https.get(CHALLENGE, host=host, tls=False)
    assert (answer.status, answer.body) == (200, b"token.thumbprint")
    assert https.get(f"{CHALLENGE}.other", host=host, tls=False).status == 404


def test_unknown_names_end_at_the_handshake(nginx: Nginx, https: Client) -> None:
    for name in (BARE, WWW):
        https.connect(name=name).close()
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        https.connect(name="evil.test")
    nameless = ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx.https}", "-noservername"]
    asked = subprocess.run(nameless, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert b"unrecognized name" in asked.stderr


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda v: v.name)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(https: Client, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        https.connect(context=context(https, version))


def test_of_version_1_2_only_the_profile_s_ciphers_are_taken(https: Client) -> None:
    assert taken_of_1_2(https) == CIPHERS
    https.connect(context=context(https, ssl.TLSVersion.TLSv1_3)).close()


@pytest.mark.parametrize(("group", "taken"), [("X25519", True), ("P-256", True), ("P-521", False)])
def test_only_the_profile_s_curves_are_taken(nginx: Nginx, group: str, taken: bool) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx.https}", "-servername", WWW]
    asked = subprocess.run(
        [*command, "-groups", group, "-brief"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (asked.returncode == 0) is taken, asked.stderr.decode()


@pytest.mark.parametrize(("number", "header"), list(enumerate(FORGED)))
def test_no_header_renews_a_budget(https: Client, number: int, header: str) -> None:
    source = f"127.0.1.{number + 1}"
    forged = [forge(header, hop) for hop in range(MISSES + 3)]
    assert [miss(https, source, **each) for each in forged] == [404] * MISSES + [429] * 3


def test_every_address_has_a_budget_of_its_own_and_a_64_is_one(https: Client) -> None:
    assert {miss(https, "127.0.2.1") for _ in range(MISSES + 1)} == {404, 429}
    assert miss(https, "127.0.2.2") == 404
    asked = [miss(https, IMPERSONATOR, X_Test_Address=f"2001:db8::{host}") for host in range(MISSES + 1)]
    assert asked == [404] * MISSES + [429]


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "//metrics", "/%6detrics", "/./readyz", "/x/../readyz"]
)
def test_the_operator_s_routes_are_for_this_machine(https: Client, path: str) -> None:
    assert https.get(path, source="127.0.0.1").status in (200, 308, 404, 503)
    by_ipv6 = https.get(path, source=IMPERSONATOR, headers={"X-Test-Address": "::1"})
    assert by_ipv6.status == https.get(path, source="127.0.0.1").status
    for headers in ({}, {name: "127.0.0.1" for name in FORGED}):
        told = {**headers, "X-Test-Address": "198.51.100.7"}
        answer = https.get(path, source=IMPERSONATOR, headers=told)
        assert (answer.status, answer.document["type"]) == (403, "urn:saver:problem:http-403")


def test_a_text_goes_in_and_comes_out(https: Client) -> None:
    text = "line\r\n한국어 😀\ufeff"
    written = https.post("/api/v1/write", {"text": text, "password": "four easy words here"})
    assert (written.status, written.headers["strict-transport-security"]) == (201, HSTS)
    told = {"code": written.document["code"], "password": "four easy words here"}
    loaded = https.post("/api/v1/load", told)
    assert (loaded.status, loaded.document["text"]) == (200, text)
    assert https.get("/").headers["content-type"].startswith("text/html")
