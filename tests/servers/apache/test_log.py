"""The logs tell what an operator needs, and no code, text, password or whole address."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from random import Random

import pytest

from saver import create_app
from tests.conftest import settings_in
from tests.servers.apache.client import Client, receive, request
from tests.servers.apache.instance import IMPERSONATOR, Apache
from tests.servers.apache.names import WWW
from tests.support.process import wait_until
from tests.support.server import ROOT

MARK = "CANARY"
LINE = re.compile(
    r'\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] (?P<network>[0-9a-f.:]+|-) [\w.]+'
    r' "(?P<method>[A-Z]+|-) (?P<route>\S+|-)" (?P<status>\d{3}) \d+ \d+'
)  # fmt: skip
NETWORKS = {
    "203.0.113.77": "203.0.113.0",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::",
    "2001:db8:1::7": "2001:db8:1::",
    "2001:db8::7": "2001:db8::",
    "2001::7": "2001::",
    "fe80::7": "fe80::",
    "::7": "-",
}


def access(apache: Apache) -> list[re.Match[str] | None]:
    """The access log, line by line; None for a line that is not of the form."""
    lines = (apache.root / "log" / "saver-access.log").read_text().splitlines(keepends=True)
    return [LINE.fullmatch(line.rstrip()) for line in lines if line.endswith("\n")]


def told_of(apache: Apache, network: str) -> list[tuple[str | None, ...]]:
    """What the access log tells of the requests from a network."""
    found = [match for match in access(apache) if match and match["network"] == network]
    return [match.group("method", "route", "status") for match in found]


def test_every_line_is_of_the_form(apache: Apache, https: Client) -> None:
    https.get("/healthz", source="127.0.3.7")
    https.get("/no-such-path", source="127.0.3.7")
    https.send(request("PUT", "/healthz", {"Host": WWW, "Connection": "close"}), source="127.0.3.7")
    wait_until(lambda: len(told_of(apache, "127.0.3.0")) >= 3, "the lines do not come")
    assert told_of(apache, "127.0.3.0") == [
        ("GET", "/healthz", "200"),
        ("GET", "-", "404"),
        ("-", "/healthz", "405"),
    ]
    assert all(access(apache))


@pytest.mark.parametrize("address", NETWORKS)
def test_of_an_address_only_the_network_is_kept(apache: Apache, https: Client, address: str) -> None:
    before = len(told_of(apache, NETWORKS[address]))
    https.get("/healthz", source=IMPERSONATOR, headers={"X-Test-Address": address})
    wait_until(lambda: len(told_of(apache, NETWORKS[address])) > before, "the line does not come")
    assert all(access(apache))


def test_the_routes_that_are_told_are_the_service_s(tmp_path: Path) -> None:
    pattern = re.search(r'^SetEnvIf Request_URI "(.+)" SAVER_ROUTE', conf("log"), re.MULTILINE)
    assert pattern
    app = create_app(settings_in(tmp_path))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {rule for rule in rules if re.fullmatch(pattern[1], rule)} == {
        rule for rule in rules if "<" not in rule
    }
    random = Random(4)
    for _ in range(1_000):
        assert not re.fullmatch(pattern[1], "/" + "".join(random.choices("abcdWXYZ", k=4)))


def conf(name: str) -> str:
    """One of the shipped files."""
    return (ROOT / "apache" / "conf" / f"{name}.conf").read_text()


def test_what_is_private_stays_out_of_every_log(apache: Apache, https: Client) -> None:
    code = str(https.post("/api/v1/write", {"text": MARK, "password": MARK}).document["code"])
    marks = f"{MARK}{code}"
    told = {
        "Referer": f"https://{WWW}/#{code}",
        "User-Agent": marks,
        "Cookie": marks,
        "X-Forwarded-For": marks,
    }
    assert https.post("/api/v1/load", {"code": code, "password": MARK}, headers=told).status == 200
    assert https.post(f"/api/v1/load?code={code}", {"code": code, "password": "wrong"}).status == 422
    for tls in (True, False):
        for path in (f"/{code}", f"/?{code}", f"/{code}%zz", f"/{code}%2F", f"/../{code}", f"/_error/{code}"):
            https.get(path, tls=tls, headers=told)
        https.get("/", tls=tls, host=f"{code}.test", headers=told)
        https.get(f"/.well-known/acme-challenge/{code}", tls=tls, headers=told)
        https.send(request(code, f"/{code}", {"Host": WWW, **told}), tls=tls)
        https.send(f"{code} {code}\r\n\r\n".encode(), tls=tls)
        https.send(request("GET", "/", {"Host": f"{code} {code}"}), tls=tls)
        https.send(request("TRACE", f"/{code}", {"Host": WWW, "Connection": "close"}), tls=tls)
        https.send(
            request("GET", f"/{code}", {"Host": WWW, "Connection": "close", code: "a" * 9_000}), tls=tls
        )
        for raw in broken(code):
            assert MARK.encode() not in https.send(raw, tls=tls).body
    longer_than_said(https, code)
    https.get("/metrics", source="127.0.0.2", headers=told)
    said = apache.said()
    assert MARK not in said
    assert not re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", said)


def broken(code: str) -> list[bytes]:
    """Requests that break a rule of the protocol, with a code and a mark wherever there is room for one."""
    marks = f"{MARK}{code}"
    head = {"Host": WWW, "Connection": "close"}
    post = {**head, "Content-Type": "text/plain"}
    return [
        f"GET /{marks}\xff\xfe HTTP/1.1\r\nHost: {WWW}\r\nConnection: close\r\n\r\n".encode("latin-1"),
        f"GET /{marks} {marks} HTTP/1.1\r\nHost: {WWW}\r\n\r\n".encode(),
        f"GET / HTTP/{marks}\r\nHost: {WWW}\r\n\r\n".encode(),
        request("GET", "/", {**head, f"{MARK} {code}": "a"}),
        request("GET", "/", {**head, f"{MARK}\x01{code}": "a"}),
        request("GET", "/", {**head, f"{MARK}_{code}": "a"}),
        request("GET", "/healthz", {**head, "Expect": marks}),
        request("GET", "/healthz", {**head, "Range": f"bytes={marks}", "If-Match": marks, "Upgrade": marks}),
        request("POST", "/api/v1/write", {**post, "Transfer-Encoding": marks}),
        request("POST", "/api/v1/write", {**post, "Content-Length": marks}),
        request("POST", "/api/v1/write", {**post, "Content-Encoding": marks, "Content-Length": "0"}),
        request("POST", "/api/v1/write", {**post, "Transfer-Encoding": "chunked"}) + f"{marks}\r\n".encode(),
    ]


def longer_than_said(https: Client, code: str) -> None:
    """On a connection that is kept, what is left of a body is taken for the next request."""
    head = {"Host": WWW, "Content-Type": "text/plain", "Content-Length": "3"}
    with https.connect() as connection:
        connection.sendall(
            request("POST", "/api/v1/write", head) + f"abc{MARK} secret {code}\r\n\r\n".encode()
        )
        assert receive(connection, "POST").status == 201
        assert MARK.encode() not in receive(connection).body


def test_the_database_was_really_written(apache: Apache, https: Client) -> None:
    """The daemons work on the data directory that their ".env" names."""
    https.post("/api/v1/write", {"text": MARK})
    connection = sqlite3.connect(apache.root / "data" / "saver.db")
    assert connection.execute("SELECT count(*) FROM text").fetchone()[0] > 0
    connection.close()
