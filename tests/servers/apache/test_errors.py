"""Apache's own errors look like the API's: problems, with the same headers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from werkzeug.exceptions import default_exceptions

from saver import create_app
from saver.api.problems import MEDIA_TYPE, Problem
from tests.conftest import settings_in
from tests.servers.apache.client import Answer, Client, request
from tests.servers.apache.instance import Apache
from tests.servers.apache.names import BARE, WWW
from tests.support.server import ROOT

HEADERS = {
    "content-type": MEDIA_TYPE,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
HSTS = {"strict-transport-security": "max-age=63072000"}
HEAD = {"Host": WWW, "Connection": "close"}
POST = {**HEAD, "Content-Type": "application/json"}
FILES = {int(path.stem): path for path in (ROOT / "apache" / "errors").glob("*.json")}

BY_APACHE = {
    "a path with a broken escape": (request("GET", "/a%zz", HEAD), 400),
    "a path that leaves the root": (request("GET", "/../etc/passwd", HEAD), 400),
    "no host": (request("GET", "/", {}), 400),
    "two hosts": (request("GET", "/", HEAD)[:-2] + b"Host: evil.test\r\n\r\n", 400),
    "a header without a colon": (request("GET", "/", HEAD)[:-2] + b"CANARY\r\n\r\n", 400),
    "a header of 9,000 bytes": (request("GET", "/", {**HEAD, "X-Long": "a" * 9_000}), 400),
    "80 headers": (request("GET", "/", {**HEAD, **{f"X-{number}": "a" for number in range(80)}}), 400),
    "bytes that are no HTTP": (b"\x00\x01\x02\r\n\r\n", 400),
    "a negative length": (request("POST", "/api/v1/write", {**POST, "Content-Length": "-5"}), 400),
    "two lengths": (request("POST", "/api/v1/write", {**POST, "Content-Length": "5, 6"}), 400),
    "an error's own file": (request("GET", "/_error/404.json", HEAD), 403),
    "an escaped slash": (request("GET", "/a%2Fb", HEAD), 404),
    "an escaped NUL": (request("GET", "/a%00b", HEAD), 404),
    "TRACE": (request("TRACE", "/", HEAD), 405),
    "a method that is none": (request("PURGE", "/healthz", HEAD), 501),
    "a path of 3,000 bytes": (request("GET", "/" + "a" * 3_000, HEAD), 414),
    "an odd Expect": (request("GET", "/healthz", {**HEAD, "Expect": "CANARY"}), 417),
    "an odd Transfer-Encoding": (request("POST", "/", {**POST, "Transfer-Encoding": "CANARY"}), 400),
    "a header's name with a blank": (request("GET", "/", {**HEAD, "CAN ARY": "a"}), 400),
    "a host that is none": (request("GET", "/", {"Host": "CANARY<b>", "Connection": "close"}), 400),
}


def check(answer: Answer, status: int, more: dict[str, str]) -> None:
    """The answer is the problem that belongs to the status, with every header."""
    assert answer.status == status
    assert answer.document == expected(status)
    wanted = {**HEADERS, **more}
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert not {"last-modified", "etag", "accept-ranges"} & set(answer.headers)


def expected(status: int) -> dict[str, object]:
    """What the service would say."""
    name = default_exceptions[status]().name
    return Problem(status, f"http-{status}", f"{name}.").document


@pytest.mark.parametrize("what", BY_APACHE)
def test_an_error_of_apache_is_a_problem(https: Client, what: str) -> None:
    raw, status = BY_APACHE[what]
    answer = https.send(raw)
    check(answer, status, HSTS)
    assert b"CANARY" not in answer.body


@pytest.mark.parametrize(
    ("path", "status"), [("/.well-known/acme-challenge/none", 404), ("/a%zz", 400), ("/" + "a" * 3_000, 414)]
)
def test_also_without_tls(https: Client, path: str, status: int) -> None:
    check(https.get(path, tls=False), status, {})


def test_plain_words_on_the_port_of_tls_are_answered_with_a_problem(apache: Apache) -> None:
    plain = Client(apache.https, apache.https, apache.authority.root)
    check(plain.get("/", tls=False), 400, {})


def test_a_condition_or_a_range_changes_no_error(https: Client) -> None:
    asked = {"If-None-Match": "*", "If-Modified-Since": "Sat, 21 Nov 2099 00:00:00 GMT", "Range": "bytes=0-1"}
    check(https.get("/a%2Fb", headers=asked), 404, HSTS)


def test_what_the_service_says_passes_unchanged(https: Client) -> None:
    for path, status in (("/nothing", 404), ("/api/v1/write", 405)):
        answer = https.get(path)
        by_the_service(answer, status)
        assert "allow" in answer.headers or status == 404
    assert https.get("/healthz").headers["strict-transport-security"] == HSTS["strict-transport-security"]


def by_the_service(answer: Answer, status: int) -> None:
    """The answer is a problem of the service's, with the front's HSTS."""
    assert (answer.status, answer.document["status"]) == (status, status)
    wanted = {**HEADERS, **HSTS}
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_every_file_is_the_problem_that_the_service_would_send() -> None:
    assert {status: json.loads(path.read_text()) for status, path in FILES.items()} == {
        status: expected(status) for status in FILES
    }


def test_every_file_is_used_and_every_error_has_one() -> None:
    told = (ROOT / "apache" / "conf" / "errors.conf").read_text()
    named = {
        int(status) for status in re.findall(r"^ErrorDocument (\d+) /_error/\1\.json$", told, re.MULTILINE)
    }
    assert named == set(FILES)
    assert {400, 403, 404, 405, 408, 411, 413, 414, 431, 500, 502, 503, 504} <= named


def test_an_error_has_every_header_that_the_service_would_send(https: Client, tmp_path: Path) -> None:
    sent_by_all(https.send(BY_APACHE["TRACE"][0]), tmp_path)


def sent_by_all(answer: Answer, folder: Path) -> None:
    """The answer has the headers of one of the service's own problems."""
    sent = create_app(settings_in(folder)).test_client().get("/nothing").headers
    wanted = {name.lower(): value for name, value in sent if name != "Content-Length"}
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_a_redirect_says_nothing_but_where_to(https: Client) -> None:
    for tls, status in ((False, 301), (True, 308)):
        answer = https.get("/CANARY<b>", tls=tls, host=BARE)
        assert (answer.status, answer.body, answer.headers["server"]) == (status, b"Moved.\n", "Apache")
