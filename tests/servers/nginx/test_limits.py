"""nginx's own errors, bodies that are too long, slow clients, reloads, and the log."""

from __future__ import annotations

import contextlib
import re
import select
import socket
from pathlib import Path

from saver import create_app
from tests.conftest import settings_in
from tests.servers import http2
from tests.servers.bodies import LONGEST
from tests.servers.client import TIMEOUT, Client, receive, request
from tests.servers.load import MIN_REQUESTS, load
from tests.servers.names import WWW
from tests.servers.nginx.instance import FOLDER, Nginx
from tests.servers.pki import Authority
from tests.servers.private import MARK, broken, longer_than_said
from tests.servers.problems import HSTS, POST, check, expected
from tests.servers.slow_clients import slow_clients, stays_quick
from tests.support.process import wait_until
from tests.support.server import ROOT


def conf(name: str) -> str:
    """One of the shipped files."""
    return (FOLDER / f"{name}.conf").read_text()


def test_nginx_finds_no_fault(nginx: Nginx) -> None:
    asked = nginx.check()
    assert asked.returncode == 0, asked.stderr
    assert "[warn]" not in asked.stderr


def test_every_title_is_the_service_s() -> None:
    titles = dict(re.findall(r'^    (\d{3}) "(.+)";$', conf("shared"), re.MULTILINE))
    assert titles == {status: expected(int(status))["title"] for status in titles}
    caught = re.search(r"^error_page (400 [\d ]+) /_error;$", conf("limits"), re.MULTILINE)
    assert caught
    assert set(caught[1].split()) == set(titles)


def test_the_longest_body_is_the_service_s() -> None:
    assert f"client_max_body_size {LONGEST};" in conf("limits")


def test_the_errors_of_nginx_have_the_headers_of_apache_s() -> None:
    errors = (ROOT / "apache" / "conf" / "errors.conf").read_text()
    by_apache = dict(re.findall(r"^    Header always set (\S+) (.+)$", errors, re.MULTILINE))
    by_nginx = dict(re.findall(r"^add_header (\S+) (.+) always;$", conf("problem"), re.MULTILINE))
    # Over TLS the service's header is sent with every answer.
    del by_nginx["Strict-Transport-Security"], by_nginx["Retry-After"]
    assert by_nginx == by_apache
    assert {"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"} < {*by_nginx}


def test_the_tls_of_apache_is_that_of_nginx() -> None:
    apache = (FOLDER.parent.parent / "apache" / "conf" / "tls.conf").read_text()
    ciphers = re.search(r"^SSLCipherSuite (.+)$", apache, re.MULTILINE)
    assert ciphers
    assert f"ssl_ciphers {ciphers[1]};" in conf("tls")


def test_slow_clients_do_not_delay_others(https: Client) -> None:
    """1,500 slow clients from one address. nginx just closes; no incomplete body reaches the service."""
    with slow_clients(https) as seen:
        stays_quick(seen)
        for connection in (seen.heads[0], seen.bodies[0]):
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""


def test_one_address_does_not_hold_the_memory_for_long_bodies(https: Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(half_body(https, 65_537))
        # Refused only when it is read, so these requests use up no code.
        long = {"unknown": "a" * 70_000}
        # nginx counts a connection after it has read its head.
        wait_until(lambda: https.post("/api/v1/write", long).status == 503, "nobody is refused")
        check(https.post("/api/v1/write", long), 503, {**HSTS, "retry-after": "1"})
        assert https.post("/api/v1/write", long, source="127.0.0.2").status == 422
        assert https.post("/api/v1/write", {"text": "short"}).status == 201
    wait_until(lambda: https.post("/api/v1/write", long).status == 422, "the places are not given back")


def test_http_2_is_spoken(nginx: Nginx, authority: Authority) -> None:
    assert http2.ask(nginx.https, authority.root, "/healthz") == ("2", 200)


def test_bodies_of_http_2_that_say_no_length_are_counted_as_long(https: Client) -> None:
    assert b"503" not in http2.answers_to_half_bodies(https, 100)
    assert b"503" in http2.answers_to_half_bodies(https, 101)


def half_body(https: Client, length: int) -> socket.socket:
    """A connection whose body does not come."""
    connection = https.connect()
    connection.sendall(request("POST", "/api/v1/write", {**POST, "Content-Length": str(length)}) + b"{")
    return connection


def test_a_reload_fails_no_request(nginx: Nginx, https: Client) -> None:
    before = nginx.workers()
    with load(https) as statuses:
        wait_until(lambda: len(statuses) >= MIN_REQUESTS, "there is no load")
        nginx.reload()
        wait_until(lambda: not nginx.workers() & before, "nothing was replaced")
        after = len(statuses)
        wait_until(lambda: len(statuses) >= after + MIN_REQUESTS, "the load has ended")
    assert set(statuses) == {200}


def test_a_service_that_is_away_is_a_problem(nginx: Nginx, https: Client) -> None:
    with nginx.without_socket():
        check(https.get("/healthz"), 502, {**HSTS, "retry-after": "1"})
    assert https.get("/healthz").status == 200


def test_the_logged_routes_are_those_of_the_service(tmp_path: Path) -> None:
    pattern = re.search(r"\(\?<saver_known>(.+)\)\(\?:\\\?\|\$\)", conf("shared"))
    assert pattern
    rules = {rule.rule for rule in create_app(settings_in(tmp_path)).url_map.iter_rules()}
    assert {rule for rule in rules if re.fullmatch(pattern[1], rule)} == {
        rule for rule in rules if "<" not in rule
    }


def test_what_is_private_stays_out_of_every_log(nginx: Nginx, https: Client) -> None:
    code = str(https.post("/api/v1/write", {"text": MARK * 50_000, "password": MARK}).document["code"])
    marks = f"{MARK}{code}"
    headers = {name: marks for name in ("Referer", "User-Agent", "Cookie", "X-Forwarded-For")}
    assert https.post("/api/v1/load", {"code": code, "password": MARK}, headers=headers).status == 200
    for tls in (True, False):
        for path in (f"/{code}", f"/?{code}", f"/{code}%zz", f"/../{code}", f"/_error/{code}"):
            https.get(path, tls=tls, headers=headers)
        https.get("/", tls=tls, host=f"{code}.test", headers=headers)
        https.send(request(code, f"/{code}", {"Host": WWW, **headers}), tls=tls)
        https.send(
            request(code.upper(), f"/{code}", {"Host": WWW, "Connection": "close", **headers}), tls=tls
        )
        for raw in broken(code):
            assert MARK.encode() not in https.send(raw, tls=tls).body
        long = {"Host": WWW, "Connection": "close", code: "a" * 9_000}
        https.send(request("GET", f"/{code}", long), tls=tls)
    longer_than_said(https, code)
    https.get("/metrics", source="127.0.0.2", headers=headers)
    with nginx.without_socket():
        https.get(f"/{code}", headers=headers)
    said = nginx.said()
    assert MARK not in said
    assert not re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", said)


def test_slow_answers_are_read_whole(https: Client) -> None:
    """An answer to a slow reader is buffered in memory, not on a disk."""
    text = "x" * 500_000
    code = https.post("/api/v1/write", {"text": text}).document["code"]
    body = f'{{"code": "{code}"}}'.encode()
    with https.connect() as connection:
        connection.sendall(request("POST", "/api/v1/load", {**POST, "Content-Length": str(len(body))}) + body)
        # The answer is sent, and not yet read.
        assert select.select([connection], [], [], TIMEOUT)[0]
        assert receive(connection).document["text"] == text
