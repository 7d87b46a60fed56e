"""The parser takes fields at once only where gunicorn, line by line, has the same result."""

from __future__ import annotations

from itertools import pairwise

import pytest
from gunicorn.asgi.parser import ParseError, PythonProtocol
from hypothesis import example, given
from hypothesis import strategies as st

from saver.server.parser import Parser

LIMITS = {"limit_request_line": 40, "limit_request_fields": 3, "limit_request_field_size": 30}
LINES = [
    b"GET / HTTP/1.1",
    b"POST /a?b HTTP/1.0",
    b"PRI /a HTTP/1.1",
    b"Host: a",
    b"Name:",
    b"Name: \t a b\xff \t",
    b"Name : a",
    b" folded",
    b"no colon",
    b"Name: " + b"a" * 22,
    b"Name: " + b"a" * 23,
    b"Name: \x00",
    b"Name: a\rb",
    b"Name: a\nb",
    b"N\xe9me: a",
    b"",
    b"Content-Length: 3",
    b"content-length: 3",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Connection: close",
    b"3",
    b"abc",
    b"0",
]
REQUESTS = st.lists(st.sampled_from(LINES), max_size=8).map(lambda lines: b"\r\n".join([*lines, b"", b""]))
RAW = REQUESTS | st.binary(max_size=60).map(lambda more: b"GET / HTTP/1.1\r\n" + more + b"\r\n\r\n")


def outcome(kind: type[PythonProtocol], parts: list[bytes]) -> tuple[object, ...]:
    """The error, or all that a connection reads from a parser."""
    body = bytearray()
    parser = kind(on_body=body.extend, **LIMITS)
    try:
        for part in parts:
            parser.feed(part)
    except ParseError as error:
        return (type(error),)
    fields = (parser.headers, parser.content_length, parser.is_chunked, parser.should_keep_alive)
    start = (parser.method, parser.path, parser.http_version)
    return (*start, *fields, parser.is_complete, bytes(body), parser.remaining())


@given(RAW, st.lists(st.integers(0, 100), max_size=3))
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nmore", [50])
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nmore", [30])
@example(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", [])
def test_the_results_are_those_of_gunicorn(raw: bytes, cuts: list[int]) -> None:
    ends = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    parts = [raw[start:end] for start, end in pairwise(ends)]
    assert outcome(Parser, parts) == outcome(PythonProtocol, parts)


@pytest.mark.parametrize("byte", [bytes([number]) for number in range(256)])
def test_each_byte_is_judged_as_by_gunicorn(byte: bytes) -> None:
    for head in (
        b"GE%bT / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nNa%bme: a\r\n",
        b"GET / HTTP/1.1\r\nName: a%bb\r\n",
    ):
        for raw in (head % byte, head % byte + b"Host: a\r\n\r\n"):
            assert outcome(Parser, [raw]) == outcome(PythonProtocol, [raw])
