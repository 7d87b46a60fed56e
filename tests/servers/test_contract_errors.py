"""Every web server in front of the service: errors, bodies and the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.apache import specifics as apache
from tests.servers.apache.shipped import PROXY, WSGI
from tests.servers.bodies import CUT_OFF, LONGEST, PLAIN, cut_off, taken_in_chunks, texts
from tests.servers.caddy import specifics as caddy
from tests.servers.client import Client, request
from tests.servers.names import WWW
from tests.servers.nginx import specifics as nginx
from tests.servers.problems import HSTS, POST, by_the_service, check, sent_by_all
from tests.servers.web_server import IMPERSONATOR, WebServer
from tests.support.process import wait_until

ERRORS = {WSGI: apache.ERRORS, PROXY: apache.ERRORS, "nginx": nginx.ERRORS, "caddy": caddy.ERRORS}
NETWORKS = {
    "203.0.113.77": "203.0.113.0",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::",
    "2001:db8:1:2:3::6": "2001:db8:1::",
    "2001:db8:1::7": "2001:db8:1::",
    "2001:db8::7": "2001:db8::",
    "2001::7": "2001::",
    "fe80::7": "fe80::",
    "::7": "-",
}


@pytest.mark.parametrize(("name", "what"), [(name, what) for name in ERRORS for what in ERRORS[name]])
def test_an_error_of_its_own_is_a_problem(
    web_servers: Callable[[str], WebServer], name: str, what: str
) -> None:
    raw, status = ERRORS[name][what]
    answer = web_servers(name).client.send(raw)
    check(answer, status, HSTS)
    assert b"CANARY" not in answer.body


def test_also_without_tls(web_server: WebServer, https: Client) -> None:
    check(https.get("/.well-known/acme-challenge/none", tls=False), 404, {})
    if web_server.answers_what_is_no_http:
        check(https.get("/a%zz", tls=False), 400, {})


def test_plain_words_on_the_port_of_tls_are_refused(web_server: WebServer) -> None:
    plain = Client(web_server.https, web_server.https, web_server.authority.root)
    answer = plain.get("/", tls=False)
    assert answer.status == 400
    if web_server.answers_what_is_no_http:
        check(answer, 400, {})


def test_what_the_service_says_passes_unchanged(https: Client) -> None:
    for path, status in (("/nothing", 404), ("/api/v1/write", 405)):
        answer = https.get(path)
        by_the_service(answer, status)
        assert "allow" in answer.headers or status == 404
    assert https.get("/healthz").headers["strict-transport-security"] == HSTS["strict-transport-security"]


def test_an_error_has_every_header_that_the_service_would_send(
    web_server: WebServer, https: Client, tmp_path: Path
) -> None:
    sent_by_all(https.send(web_server.own_error), tmp_path)


def test_a_longer_body_is_refused_before_it_comes(web_server: WebServer, https: Client) -> None:
    for expect in ({}, {"Expect": "100-continue"}):
        head = request("POST", "/api/v1/write", {**POST, "Content-Length": str(LONGEST + 1), **expect})
        answer = https.send(head)
        if web_server.passes_long_bodies:
            by_the_service(answer, 413)
        else:
            check(answer, 413, HSTS)


def test_the_longest_body_reaches_the_service(https: Client) -> None:
    body = b'{"text":"a","unknown":"' + b"a" * (LONGEST - 25) + b'"}'
    assert len(body) == LONGEST
    answer = https.send(request("POST", "/api/v1/write", {**POST, "Content-Length": str(LONGEST)}) + body)
    assert (answer.status, answer.document["type"]) == (422, "urn:saver:problem:invalid")


def test_the_longest_text_goes_in(https: Client) -> None:
    assert https.post("/api/v1/write", {"text": "\x01" * 1_048_576}).status == 201


def test_a_body_in_chunks_goes_in(web_server: WebServer, https: Client) -> None:
    taken_in_chunks(https, web_server.broken_chunks_status)


def test_a_body_without_a_length_is_the_service_s_to_refuse(web_server: WebServer, https: Client) -> None:
    answer = https.send(request("POST", "/api/v1/write", POST))
    assert (answer.status, answer.document["type"]) == web_server.no_length


def test_a_body_that_is_cut_off_is_no_text(web_server: WebServer, https: Client) -> None:
    before = texts(web_server.root)
    answers = [cut_off(https, head, sent) for head, sent in CUT_OFF]
    assert [answer and answer.status for answer in answers] == [web_server.cut_off_status] * len(CUT_OFF)
    whole = request("POST", "/api/v1/write", {**PLAIN, "Content-Length": "5"}) + b"whole"
    assert https.send(whole).status == 201
    assert texts(web_server.root) == before + 1
    assert "Traceback" not in web_server.said()


def access(web_server: WebServer) -> list[re.Match[str] | None]:
    """The access log, line by line; None for a line that is not of the form."""
    lines = (web_server.root / "log" / "saver-access.log").read_text().splitlines(keepends=True)
    return [web_server.log_line.fullmatch(line.rstrip()) for line in lines if line.endswith("\n")]


def told_of(web_server: WebServer, network: str) -> list[tuple[str | None, ...]]:
    """The lines of the access log for a network."""
    found = [match for match in access(web_server) if match and match["network"] == network]
    # Caddy cannot write "-" for what it leaves out.
    return [tuple(part or "-" for part in match.group("method", "route", "status")) for match in found]


def test_every_line_is_of_the_form(web_server: WebServer, https: Client) -> None:
    method, status = web_server.refused_method
    https.get("/healthz?CANARY", source="127.0.3.7")
    https.get("/no-such-path", source="127.0.3.7")
    https.send(request(method, "/healthz", {"Host": WWW, "Connection": "close"}), source="127.0.3.7")
    wait_until(lambda: len(told_of(web_server, "127.0.3.0")) >= 3, "the lines do not come")
    assert told_of(web_server, "127.0.3.0") == [
        ("GET", "/healthz", "200"),
        ("GET", "-", "404"),
        ("-", "/healthz", status),
    ]
    assert all(access(web_server))


@pytest.mark.parametrize("address", NETWORKS)
def test_of_an_address_only_the_network_is_kept(impersonating: WebServer, address: str) -> None:
    before = len(told_of(impersonating, NETWORKS[address]))
    impersonating.client.get("/healthz", source=IMPERSONATOR, headers={"X-Test-Address": address})
    wait_until(lambda: len(told_of(impersonating, NETWORKS[address])) > before, "the line does not come")
    assert all(access(impersonating))
