"""The bytes that a response becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from saver.server.response import run_app

TEXT = ("Content-Type", "text/plain")


def answering(status: str, *headers: tuple[str, str], body: bytes = b"") -> WSGIApplication:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, list(headers))
        return [body[:1], body[1:]]

    return app


def sent(
    app: WSGIApplication, method: str = "GET", protocol: str = "HTTP/1.1", *, closes: bool = False
) -> tuple[str, list[str], bytes]:
    """First line, headers without Date, body."""
    found = run_app(app, {"REQUEST_METHOD": method, "SERVER_PROTOCOL": protocol}, closes=closes)
    assert found.closes is closes
    head, _, body = found.data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    dates = [line for line in lines if line.startswith("Date: ")]
    assert len(dates) == 1
    assert re.fullmatch(r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", dates[0])
    return first, sorted(set(lines) - set(dates)), body


def test_status_headers_length_and_body() -> None:
    first, lines, body = sent(answering("200 OK", TEXT, ("Content-Length", "3"), body=b"abc"))
    assert (first, body) == ("HTTP/1.1 200 OK", b"abc")
    assert lines == [
        "Connection: keep-alive",
        "Content-Length: 3",
        "Content-Type: text/plain",
        "Server: gunicorn",
    ]


def test_a_body_without_a_length_gets_one() -> None:
    first, lines, body = sent(answering("200 OK", body=b"abc"), protocol="HTTP/1.0", closes=True)
    assert (first, body) == ("HTTP/1.0 200 OK", b"abc")
    assert lines == ["Connection: close", "Content-Length: 3", "Server: gunicorn"]


@pytest.mark.parametrize(
    ("status", "method", "length"),
    [("200 OK", "HEAD", True), ("304 NOT MODIFIED", "GET", True), ("204 NO CONTENT", "GET", False)],
)
def test_there_is_no_body(status: str, method: str, length: bool) -> None:
    _, lines, body = sent(answering(status, ("content-length", "3"), body=b"abc"), method)
    assert body == b""
    assert ("Content-Length: 3" in lines) is length
    assert "Content-Length: 0" not in lines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Name", "a\r\nSet-Cookie: b"),
        ("X-Name", "a\nb"),
        ("X-Name", "a\rb"),
        ("X-Name", "a\0b"),
        ("X-Name\r\nX-Other", "a"),
        ("X Name", "a"),
        ("", "a"),
    ],
)
def test_a_header_cannot_become_two(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"^invalid header$"):
        sent(answering("200 OK", (name, value)))


def test_a_status_cannot_become_a_header() -> None:
    with pytest.raises(ValueError, match=r"^invalid status$"):
        sent(answering("200 OK\r\nX-Name: a"))


def test_the_connection_is_the_affair_of_the_server() -> None:
    of_hops = [
        ("Connection", "close"),
        ("Transfer-Encoding", "chunked"),
        ("Server", "a"),
        ("Keep-Alive", "a"),
    ]
    _, lines, _ = sent(answering("200 OK", *of_hops))
    assert lines == ["Connection: keep-alive", "Content-Length: 0", "Server: gunicorn"]


def test_what_is_written_comes_first_and_an_error_replaces_what_was_started() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [TEXT])
        start_response("500 INTERNAL SERVER ERROR", [])(b"a")
        return iter([b"b"])

    first, lines, body = sent(app)
    assert (first, body) == ("HTTP/1.1 500 INTERNAL SERVER ERROR", b"ab")
    assert "Content-Type: text/plain" not in lines


def test_the_app_is_closed_when_its_body_breaks() -> None:
    class Body:
        closed = False

        def __iter__(self) -> Iterable[bytes]:
            raise OSError("broken")

        def close(self) -> None:
            self.closed = True

    body = Body()

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return body  # type: ignore[return-value]

    with pytest.raises(OSError, match="broken"):
        sent(app)
    assert body.closed
