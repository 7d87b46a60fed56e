"""nginx's own errors, bodies that are too long, slow clients, reloads, and what the log tells."""

from __future__ import annotations

import contextlib
import re
import select
import socket
from pathlib import Path

import pytest

from saver import create_app
from saver.settings import Settings
from tests.conftest import settings_in
from tests.servers.apache.client import PATIENCE, Client, receive, request
from tests.servers.apache.crowd import crowd, stays_quick
from tests.servers.apache.names import WWW
from tests.servers.apache.test_errors import HEAD, HSTS, POST, by_the_service, check, expected, sent_by_all
from tests.servers.apache.test_hosts import ENCRYPTED_ONLY, told_to_say_https
from tests.servers.apache.test_limits import CUT_OFF, PLAIN, cut_off, taken_in_chunks, texts
from tests.servers.apache.test_log import broken, longer_than_said
from tests.servers.apache.test_upkeep import AT_LEAST, load
from tests.servers.nginx.instance import FOLDER, IMPERSONATOR, Nginx
from tests.support.process import wait_until
from tests.support.server import ROOT

MARK = "CANARY"
BY_NGINX = {
    "a path with a broken escape": (request("GET", "/a%zz", HEAD), 400),
    "a path that leaves the root": (request("GET", "/../etc/passwd", HEAD), 400),
    "no host": (request("GET", "/", {}), 400),
    "two hosts": (request("GET", "/", HEAD)[:-2] + b"Host: evil.test\r\n\r\n", 400),
    "a header of 9,000 bytes": (request("GET", "/", {**HEAD, "X-Long": "a" * 9_000}), 400),
    "headers of 36,000 bytes": (request("GET", "/", {**HEAD, **dict.fromkeys("abcdef", "a" * 6_000)}), 400),
    "bytes that are no HTTP": (b"\x00\x01\x02\r\n\r\n", 400),
    "a negative length": (request("POST", "/api/v1/write", {**POST, "Content-Length": "-5"}), 400),
    "two lengths": (request("POST", "/api/v1/write", {**POST, "Content-Length": "5, 6"}), 400),
    "an error's own place": (request("GET", "/_error", HEAD), 404),
    "TRACE": (request("TRACE", "/", HEAD), 405),
    "a method that is none": (request("PURGE", "/healthz", HEAD), 501),
    "a path of 3,000 bytes": (request("GET", "/" + "a" * 3_000, HEAD), 414),
    "a path of 9,000 bytes": (request("GET", "/" + "a" * 9_000, HEAD), 414),
    "a path that is no ASCII": (request("GET", "/\xff", HEAD), 400),
    "another protocol": (request("GET", "/", HEAD, "2.0"), 505),
}
LINE = re.compile(
    r'\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] (?P<network>[0-9a-f.:]+|-) [\w.]*'
    r' "(?P<method>[A-Z]+|-) (?P<route>\S+|-)" (?P<status>\d{3}) \d+ [\d.]+'
)  # fmt: skip


def conf(name: str) -> str:
    """One of the shipped files."""
    return (FOLDER / f"{name}.conf").read_text()


def test_nginx_finds_no_fault(nginx: Nginx) -> None:
    asked = nginx.check()
    assert asked.returncode == 0, asked.stderr
    assert "[warn]" not in asked.stderr


@pytest.mark.parametrize("what", BY_NGINX)
def test_an_error_of_nginx_is_a_problem(https: Client, what: str) -> None:
    raw, status = BY_NGINX[what]
    check(https.send(raw), status, HSTS)


def test_also_without_tls(nginx: Nginx, https: Client) -> None:
    check(https.get("/.well-known/acme-challenge/none", tls=False), 404, {})
    check(https.get("/a%zz", tls=False), 400, {})
    # The port of TLS says so even to those who do not speak it.
    check(Client(nginx.https, nginx.https, nginx.authority.root).get("/", tls=False), 400, {})


def test_what_the_service_says_passes_unchanged(https: Client) -> None:
    by_the_service(https.get("/nothing"), 404)
    assert https.get("/api/v1/write").headers["allow"]


def test_every_title_is_the_service_s() -> None:
    titles = dict(re.findall(r'^    (\d{3}) "(.+)";$', conf("shared"), re.MULTILINE))
    assert titles == {status: expected(int(status))["title"] for status in titles}
    caught = re.search(r"^error_page (400 [\d ]+) /_error;$", conf("limits"), re.MULTILINE)
    assert caught
    assert set(caught[1].split()) == set(titles)


def test_the_longest_body_is_the_service_s(https: Client) -> None:
    most = Settings(_env_file=None).max_body_bytes
    assert f"client_max_body_size {most};" in conf("limits")
    for expect in ({}, {"Expect": "100-continue"}):
        head = request("POST", "/api/v1/write", {**POST, "Content-Length": str(most + 1), **expect})
        check(https.send(head), 413, HSTS)
    body = b'{"text":"a","unknown":"' + b"a" * (most - 25) + b'"}'
    assert len(body) == most
    answer = https.send(request("POST", "/api/v1/write", {**POST, "Content-Length": str(most)}) + body)
    assert (answer.status, answer.document["type"]) == (422, "urn:saver:problem:invalid")


def test_a_body_in_chunks_goes_in(https: Client) -> None:
    taken_in_chunks(https)
    assert https.send(request("POST", "/api/v1/write", POST)).status == 411


def test_a_body_that_is_cut_off_is_no_text(nginx: Nginx, https: Client) -> None:
    before = texts(nginx.root)
    assert [cut_off(https, head, sent) for head, sent in CUT_OFF] == [None] * len(CUT_OFF)
    whole = request("POST", "/api/v1/write", {**PLAIN, "Content-Length": "5"}) + b"whole"
    assert https.send(whole).status == 201
    assert texts(nginx.root) == before + 1


def test_an_error_has_every_header_that_the_service_would_send(https: Client, tmp_path: Path) -> None:
    sent_by_all(https.send(BY_NGINX["TRACE"][0]), tmp_path)


def test_the_errors_of_nginx_have_the_headers_of_apache_s() -> None:
    errors = (ROOT / "apache" / "conf" / "errors.conf").read_text()
    by_apache = dict(re.findall(r"^    Header always set (\S+) (.+)$", errors, re.MULTILINE))
    by_nginx = dict(re.findall(r"^add_header (\S+) (.+) always;$", conf("problem"), re.MULTILINE))
    # Where TLS is spoken Apache sends it with everything.
    del by_nginx["Strict-Transport-Security"], by_nginx["Retry-After"]
    assert by_nginx == by_apache
    assert {"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"} < {*by_nginx}


@pytest.mark.parametrize("path", ENCRYPTED_ONLY)
def test_a_program_that_says_http_is_not_led_on(https: Client, path: str) -> None:
    told_to_say_https(https.get(path, tls=False))
    post = {"Host": WWW, "Connection": "close", "Content-Length": "6"}
    told_to_say_https(https.send(request("POST", path, post) + b"CANARY", tls=False))


def test_the_tls_of_apache_is_that_of_nginx() -> None:
    apache = (FOLDER.parent.parent / "apache" / "conf" / "tls.conf").read_text()
    ciphers = re.search(r"^SSLCipherSuite (.+)$", apache, re.MULTILINE)
    assert ciphers
    assert f"ssl_ciphers {ciphers[1]};" in conf("tls")


def test_beside_slow_clients_others_notice_nothing(https: Client) -> None:
    """1,500 of them from one address. nginx hangs up without a word; no half body reaches the service."""
    with crowd(https) as seen:
        stays_quick(seen)
        for connection in (seen.heads[0], seen.bodies[0]):
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""


def test_one_address_does_not_hold_the_memory_for_long_bodies(https: Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(half_body(https, 65_537))
        # Refused when it is read, so that asking costs no code.
        long = {"unknown": "a" * 70_000}
        # The hundred are counted when their heads have been read.
        wait_until(lambda: https.post("/api/v1/write", long).status == 503, "nobody is refused")
        check(https.post("/api/v1/write", long), 503, {**HSTS, "retry-after": "1"})
        assert https.post("/api/v1/write", long, source="127.0.0.2").status == 422
        assert https.post("/api/v1/write", {"text": "short"}).status == 201
    wait_until(lambda: https.post("/api/v1/write", long).status == 422, "the places are not given back")


def half_body(https: Client, length: int) -> socket.socket:
    """A connection whose body does not come."""
    connection = https.connect()
    connection.sendall(request("POST", "/api/v1/write", {**POST, "Content-Length": str(length)}) + b"{")
    return connection


def test_a_reload_fails_no_request(nginx: Nginx, https: Client) -> None:
    before = nginx.workers()
    with load(https) as statuses:
        wait_until(lambda: len(statuses) >= AT_LEAST, "there is no load")
        nginx.reload()
        wait_until(lambda: not nginx.workers() & before, "nothing was replaced")
        after = len(statuses)
        wait_until(lambda: len(statuses) >= after + AT_LEAST, "the load has ended")
    assert set(statuses) == {200}


def test_a_service_that_is_away_is_a_problem(nginx: Nginx, https: Client) -> None:
    with nginx.without_socket():
        check(https.get("/healthz"), 502, {**HSTS, "retry-after": "1"})
    assert https.get("/healthz").status == 200


def lines(nginx: Nginx) -> list[re.Match[str] | None]:
    """The access log, line by line; None for a line that is not of the form."""
    written = (nginx.root / "log" / "saver-access.log").read_text().splitlines(keepends=True)
    return [LINE.fullmatch(line.rstrip()) for line in written if line.endswith("\n")]


def test_the_log_tells_what_it_should(nginx: Nginx, https: Client) -> None:
    https.get("/healthz?CANARY", source="127.0.3.7")
    https.get("/no-such-path", source="127.0.3.7")
    https.send(request("PURGE", "/healthz", {"Host": WWW, "Connection": "close"}), source="127.0.3.7")
    wanted = [("GET", "/healthz", "200"), ("GET", "-", "404"), ("-", "/healthz", "501")]

    def told() -> list[tuple[str | None, ...]]:
        of_it = [match for match in lines(nginx) if match and match["network"] == "127.0.3.0"]
        return [match.group("method", "route", "status") for match in of_it]

    wait_until(lambda: len(told()) >= len(wanted), "the lines do not come")
    assert told() == wanted
    assert all(lines(nginx))


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3::6", "2001:db8:1::"), ("2001:db8::7", "2001:db8::")],
)
def test_of_an_address_only_the_network_is_kept(
    nginx: Nginx, https: Client, address: str, network: str
) -> None:
    https.get("/healthz", source=IMPERSONATOR, headers={"X-Test-Address": address})
    wait_until(lambda: any(line and line["network"] == network for line in lines(nginx)), "no line")


def test_the_routes_that_are_told_are_the_service_s(tmp_path: Path) -> None:
    pattern = re.search(r"\(\?<saver_known>(.+)\)\(\?:\\\?\|\$\)", conf("shared"))
    assert pattern
    rules = {rule.rule for rule in create_app(settings_in(tmp_path)).url_map.iter_rules()}
    assert {rule for rule in rules if re.fullmatch(pattern[1], rule)} == {
        rule for rule in rules if "<" not in rule
    }


def test_what_is_private_stays_out_of_every_log(nginx: Nginx, https: Client) -> None:
    code = str(https.post("/api/v1/write", {"text": MARK * 50_000, "password": MARK}).document["code"])
    marks = f"{MARK}{code}"
    told = {name: marks for name in ("Referer", "User-Agent", "Cookie", "X-Forwarded-For")}
    assert https.post("/api/v1/load", {"code": code, "password": MARK}, headers=told).status == 200
    for tls in (True, False):
        for path in (f"/{code}", f"/?{code}", f"/{code}%zz", f"/../{code}", f"/_error/{code}"):
            https.get(path, tls=tls, headers=told)
        https.get("/", tls=tls, host=f"{code}.test", headers=told)
        https.send(request(code, f"/{code}", {"Host": WWW, **told}), tls=tls)
        https.send(request(code.upper(), f"/{code}", {"Host": WWW, "Connection": "close", **told}), tls=tls)
        for raw in broken(code):
            assert MARK.encode() not in https.send(raw, tls=tls).body
        long = {"Host": WWW, "Connection": "close", code: "a" * 9_000}
        https.send(request("GET", f"/{code}", long), tls=tls)
    longer_than_said(https, code)
    https.get("/metrics", source="127.0.0.2", headers=told)
    with nginx.without_socket():
        https.get(f"/{code}", headers=told)
    said = nginx.said()
    assert MARK not in said
    assert not re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", said)


def test_slow_answers_are_read_whole(https: Client) -> None:
    """An answer that is taken in little pieces is kept in memory and on the socket, on no disk."""
    text = "x" * 500_000
    code = https.post("/api/v1/write", {"text": text}).document["code"]
    body = f'{{"code": "{code}"}}'.encode()
    with https.connect() as connection:
        connection.sendall(request("POST", "/api/v1/load", {**POST, "Content-Length": str(len(body))}) + body)
        # The answer is on its way, and nobody takes it yet.
        assert select.select([connection], [], [], PATIENCE)[0]
        assert receive(connection).document["text"] == text
