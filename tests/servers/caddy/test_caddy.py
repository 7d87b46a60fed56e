"""Caddy's own errors, slow clients, a reload, the log, and a service on a port."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from saver import create_app
from tests.conftest import NO_LIMITS, settings_in
from tests.servers import http2
from tests.servers.bodies import LONGEST
from tests.servers.caddy.instance import FOLDER, SOCKET, Caddy
from tests.servers.caddy.specifics import PLAIN_ERRORS
from tests.servers.client import Client, request
from tests.servers.load import MIN_REQUESTS, load
from tests.servers.names import WWW
from tests.servers.pki import Authority
from tests.servers.private import MARK, broken, longer_than_said
from tests.servers.problems import HSTS, check
from tests.servers.slow_clients import slow_clients, stays_quick
from tests.support.process import wait_until
from tests.support.server import ROOT, Server

SHIPPED = (FOLDER / "saver.caddy").read_text()


def test_caddy_finds_no_fault(caddy: Caddy) -> None:
    assert caddy.check().stdout == "Valid configuration\n"


@pytest.mark.parametrize("name", ["Caddyfile", "saver.caddy"])
def test_the_files_are_formatted(name: str) -> None:
    done = subprocess.run(
        ["/usr/bin/caddy", "fmt", FOLDER / name], capture_output=True, text=True, check=True
    )
    assert done.stdout == (FOLDER / name).read_text()


def test_the_longest_body_is_the_service_s() -> None:
    assert f"max_size {LONGEST}\n" in SHIPPED


def test_the_errors_of_caddy_have_the_headers_of_apache_s() -> None:
    errors = (ROOT / "apache" / "conf" / "errors.conf").read_text()
    by_apache = dict(re.findall(r"^    Header always set (\S+) (.+)$", errors, re.MULTILINE))
    problem = SHIPPED.partition("(saver_problem)")[2].partition("respond")[0]
    by_caddy = dict(re.findall(r"^\t\t(\S+) (.+)$", problem, re.MULTILINE))
    assert by_caddy.pop("Content-Type") == "application/problem+json"
    assert by_caddy == by_apache


def test_the_logged_routes_are_those_of_the_service(tmp_path: Path) -> None:
    pattern = re.search(r'request>uri regexp "\^\(\?:\((.+)\)\(\?:\\\?', SHIPPED)
    assert pattern
    rules = {rule.rule for rule in create_app(settings_in(tmp_path)).url_map.iter_rules()}
    assert {rule for rule in rules if re.fullmatch(pattern[1], rule)} == {
        rule for rule in rules if "<" not in rule
    }


@pytest.mark.parametrize("what", PLAIN_ERRORS)
def test_what_is_no_http_is_refused_in_few_words(https: Client, what: str) -> None:
    raw, status = PLAIN_ERRORS[what]
    answer = https.send(raw)
    assert answer.status == status
    assert b"CANARY" not in answer.body


def test_a_service_that_does_not_run_is_a_problem(caddy: Caddy, https: Client) -> None:
    with caddy.without_socket():
        check(https.get("/"), 502, {**HSTS, "retry-after": "1"})
    assert https.get("/healthz").status == 200


def test_unknown_names_end_at_the_handshake(https: Client) -> None:
    with pytest.raises(ssl.SSLError, match="alert internal error"):
        https.connect(name="evil.test")


def test_slow_clients_do_not_delay_others(https: Client) -> None:
    """1,500 slow clients from one address."""
    with slow_clients(https) as seen:
        stays_quick(seen)


def test_http_2_is_spoken(caddy: Caddy, authority: Authority) -> None:
    assert http2.ask(caddy.https, authority.root, "/healthz") == ("2", 200)


def test_a_reload_fails_no_request(caddy: Caddy, https: Client) -> None:
    with load(https) as statuses:
        wait_until(lambda: len(statuses) >= MIN_REQUESTS, "there is no load")
        caddy.reload()
        after = len(statuses)
        wait_until(lambda: len(statuses) >= after + MIN_REQUESTS, "the load has ended")
    assert set(statuses) == {200}


def test_what_is_private_stays_out_of_every_log(caddy: Caddy, https: Client) -> None:
    code = str(https.post("/api/v1/write", {"text": MARK * 50_000, "password": MARK}).document["code"])
    marks = f"{MARK}{code}"
    headers = {name: marks for name in ("Referer", "User-Agent", "Cookie", "X-Forwarded-For")}
    assert https.post("/api/v1/load", {"code": code, "password": MARK}, headers=headers).status == 200
    for tls in (True, False):
        for path in (f"/{code}", f"/?{code}", f"/{code}%zz", f"/../{code}"):
            https.get(path, tls=tls, headers=headers)
        https.get("/", tls=tls, host=f"{code}.test", headers=headers)
        https.get(f"/.well-known/acme-challenge/{code}", tls=tls, host=f"{code}.test", headers=headers)
        https.send(
            request(code.upper(), f"/{code}", {"Host": WWW, "Connection": "close", **headers}), tls=tls
        )
        for raw in broken(code):
            assert MARK.encode() not in https.send(raw, tls=tls).body
    longer_than_said(https, code)
    https.get("/metrics", source="127.0.0.2", headers=headers)
    with caddy.without_socket():
        https.get(f"/{code}", headers=headers)
    said = caddy.said()
    assert MARK not in said
    assert not re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", said)


def test_a_service_on_a_port_counts_each_address(
    pool_file: Path, authority: Authority, tmp_path: Path
) -> None:
    shutil.copy(pool_file, tmp_path / "saver.db")
    settings = {**NO_LIMITS, "misses_a_minute": 2, "trusted_proxies": "127.0.0.1"}
    with (
        Server(tmp_path, settings) as server,
        Caddy(pool_file, authority, NO_LIMITS, {SOCKET: f"127.0.0.1:{server.port}"}) as caddy,
    ):
        statuses = [
            caddy.client.post(
                "/api/v1/load",
                {"code": "qqqq"},
                source=source,
                headers={"X-Forwarded-For": f"198.51.100.{number}"},
            ).status
            for source in ("127.0.0.8", "127.0.0.9")
            for number in range(3)
        ]
    assert statuses == [404, 404, 429] * 2
