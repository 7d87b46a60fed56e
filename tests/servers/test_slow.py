"""Slow clients and those that send incomplete or invalid requests do not delay others."""

from __future__ import annotations

import json
import re
import select
import shutil
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from saver.codes import Code
from tests.conftest import NO_LIMITS
from tests.support.process import wait_until
from tests.support.server import Server
from tests.support.slow import JSON, PARTIAL_REQUESTS, WRITE, ask, connect, hanging, read
from tests.support.snapshot import put_codes

EACH = 500
# On a busy machine; on a quiet one it takes some milliseconds.
TIMEOUT = 10.0
LONGEST_BODY = 1_048_576 * 6 + 65_536


def server_in(folder: Path, migrated: Path, **settings: object) -> Server:
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", [Code.nth(number) for number in range(1_000)])
    return Server(folder, {**NO_LIMITS, **settings})


@pytest.fixture(scope="module")
def long_timeout(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Server]:
    """A server that waits longer than these tests take."""
    with server_in(tmp_path_factory.mktemp("long_timeout"), migrated, request_timeout=600) as server:
        yield server


@pytest.fixture(scope="module")
def short_timeout(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Server]:
    """A server that waits a second."""
    with server_in(tmp_path_factory.mktemp("short_timeout"), migrated, request_timeout=1) as server:
        yield server


def post(server: Server, route: str, body: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(
        f"{server.url}/api/v1/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def write_and_load(server: Server) -> float:
    """Write and load as a normal client; how long it took, in seconds."""
    started = time.monotonic()
    code = post(server, "write", {"text": "normal"})["code"]
    assert post(server, "load", {"code": code})["text"] == "normal"
    return time.monotonic() - started


@pytest.mark.parametrize(
    "kinds", [[kind] for kind in PARTIAL_REQUESTS] + [[*PARTIAL_REQUESTS]], ids=" and ".join
)
def test_slow_clients_keep_no_other_waiting(
    long_timeout: Server, kinds: list[str], record_property: Callable[[str, object], None]
) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(hanging(long_timeout.port, kind, EACH)) for kind in kinds]
        record_property("seconds", round(max(write_and_load(long_timeout) for _ in range(3)), 3))
        unanswered = select.poll()
        for kind, clients in zip(kinds, held, strict=True):
            for client in clients if kind != "idle, kept alive" else ():
                unanswered.register(client, select.POLLIN)
        assert not unanswered.poll(0), "they hang all the time"


def metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        lines = [line.split() for line in answer.read().decode().splitlines()]
    return next(float(line[1]) for line in lines if line[0] == name)


def assert_problem(headers: dict[str, str], document: dict[str, object], status: int) -> None:
    assert document["status"] == status
    assert str(document["type"]).startswith("urn:saver:problem:")
    expected = {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "connection": "close",
    }
    assert {name: headers.get(name) for name in expected} == expected
    assert "default-src 'none'" in headers["content-security-policy"]


def test_what_is_cut_off_gets_a_408_and_is_counted(short_timeout: Server) -> None:
    before = metric(short_timeout, "saver_requests_cut_off_today")
    with (
        hanging(short_timeout.port, "half headers", 3) as heads,
        hanging(short_timeout.port, "half bodies", 4) as bodies,
    ):
        for client in (*heads, *bodies):
            reply = read(client)
            assert reply.status == 408
            assert_problem(reply.headers, reply.document, 408)
    wait_until(
        lambda: metric(short_timeout, 'saver_requests_total{route="none",status="408"}') == 7,
        "the other process has written its numbers",
    )
    counted = "saver_requests_cut_off_today"
    wait_until(
        lambda: metric(short_timeout, counted) == before + 7,
        "the metric counts each of them once",
    )


SECRET = b"kanariya"
HEADER = b"GET / HTTP/1.1\r\nHost: saver\r\n"
REFUSED: dict[str, tuple[int, bytes]] = {
    "no request": (400, SECRET + b" rest of a text\r\n\r\n"),
    "a method": (400, SECRET + b" / HTTP/1.1\r\n\r\n"),
    "a method of its own": (400, b"X" * 30 + SECRET.upper() + b" / HTTP/1.1\r\n\r\n"),
    "a byte in the path": (400, b"GET /\xff" + SECRET + b" HTTP/1.1\r\n\r\n"),
    "a header's name": (400, HEADER + SECRET + b" : x\r\n\r\n"),
    "a header's value": (400, HEADER + b"X: " + SECRET + b"\0\r\n\r\n"),
    "a folded header": (400, HEADER + b"X: a\r\n " + SECRET + b"\r\n\r\n"),
    "a bare line feed": (400, HEADER + b"X: " + SECRET + b"\n\r\n"),
    "a length that is none": (400, WRITE + b"Content-Length: " + SECRET + b"\r\n\r\n"),
    "a length of many digits": (400, WRITE + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"),
    "two lengths": (400, WRITE + b"Content-Length: 8\r\nContent-Length: 9\r\n\r\n" + SECRET),
    "a length and chunks": (
        400,
        WRITE + b"Content-Length: 8\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET,
    ),
    "a broken chunk": (400, WRITE + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET + b"\r\n"),
    "more than its length": (400, WRITE + JSON + b"Content-Length: 2\r\n\r\n{}" + SECRET + b" x y\r\n"),
    "too long a body": (413, WRITE + b"Content-Length: %d\r\n\r\n" % (LONGEST_BODY + 1) + SECRET),
    "too long a line": (414, b"GET /" + SECRET * 1_200 + b" HTTP/1.1\r\n\r\n"),
    "another expectation": (417, WRITE + b"Expect: " + SECRET + b"\r\nContent-Length: 2\r\n\r\n{}"),
    "too long a header": (431, HEADER + b"X: " + SECRET * 1_200 + b"\r\n\r\n"),
    "too many headers": (431, HEADER + (b"X: " + SECRET + b"\r\n") * 101 + b"\r\n"),
    "a coding": (501, WRITE + b"Transfer-Encoding: " + SECRET + b"\r\n\r\n"),
    "a coding before chunks": (501, WRITE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "a version": (505, b"GET /" + SECRET + b" HTTP/" + SECRET + b"\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "request_bytes"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_no_trace(long_timeout: Server, status: int, request_bytes: bytes) -> None:
    before = long_timeout.log.read_bytes()
    reply = ask(long_timeout.port, request_bytes)
    assert reply.status == status
    assert_problem(reply.headers, reply.document, status)
    assert SECRET not in reply.raw.lower()
    assert long_timeout.log.read_bytes() == before, "neither its bytes nor its address are logged"


def test_a_body_that_ends_before_its_length_leaves_nothing_behind(long_timeout: Server) -> None:
    key = f"Idempotency-Key: {uuid.uuid4()}\r\n".encode()
    plain = WRITE + b"Connection: close\r\nContent-Type: text/plain\r\n" + key
    whole = b"x" * 100
    cut = ask(long_timeout.port, plain + b"Content-Length: 100\r\n\r\n" + whole[:50], ends=True)
    assert cut.status == 400
    assert_problem(cut.headers, cut.document, 400)
    again = ask(long_timeout.port, plain + b"Content-Length: 100\r\n\r\n" + whole)
    assert again.status == 201, "its key was not taken"


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_chunks_are_put_together(long_timeout: Server) -> None:
    given = WRITE + JSON + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = ask(long_timeout.port, given + chunks(b'{"text":', b'"in pieces"}'))
    assert reply.status == 201
    code = reply.document["code"]
    assert long_timeout.post("/api/v1/load", {"code": code})[1]["text"] == "in pieces"


@pytest.mark.parametrize("end", [b"", b";" + b"a" * 4_000], ids=["long", "long with an extension"])
def test_chunks_beyond_the_limit_are_refused_before_they_end(long_timeout: Server, end: bytes) -> None:
    size = 1 if end else 65_536
    piece = b"%x%b\r\n%b\r\n" % (size, end, b" " * size)
    with connect(long_timeout.port) as client:
        client.sendall(WRITE + JSON + b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall(piece * ((2 * LONGEST_BODY if end else LONGEST_BODY) // len(piece) + 2))
        reply = read(client)
    assert reply.status == 413
    assert_problem(reply.headers, reply.document, 413)


def test_a_client_that_waits_for_100_continue_gets_it(long_timeout: Server) -> None:
    with connect(long_timeout.port) as client:
        body = b'{"text":"waited"}'
        client.sendall(WRITE + JSON + b"Connection: close\r\nExpect: 100-continue\r\n")
        client.sendall(b"Content-Length: %d\r\n\r\n" % len(body))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert read(client).status == 201


def test_pipelined_requests_are_answered_in_order(long_timeout: Server) -> None:
    load = b"POST /api/v1/load HTTP/1.1\r\nHost: saver\r\n" + JSON + b"Content-Length: 2\r\n\r\n{}"
    pair = b"GET /healthz HTTP/1.1\r\nHost: saver\r\n\r\n" + load
    reply = ask(long_timeout.port, pair * 100 + b"HEAD /healthz HTTP/1.0\r\n\r\n")
    found = re.findall(rb"^HTTP/1\.[01] (\d{3}) ", reply.raw.replace(b"}HTTP", b"}\nHTTP"), re.MULTILINE)
    assert found == [b"200", b"422"] * 100 + [b"200"]
    assert reply.body == b"", "HEAD"


def test_a_client_that_closed_its_sending_side_is_answered(long_timeout: Server) -> None:
    reply = ask(long_timeout.port, b"GET /healthz HTTP/1.1\r\nHost: saver\r\n\r\n", ends=True)
    assert (reply.status, reply.document) == (200, {"status": "ok"})
