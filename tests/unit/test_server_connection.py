"""How a process reads requests: deadlines by the test's clock, size limits, and what the app gets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask, request
from gunicorn.config import Config

from saver.server.connection import Connection, ConnectionState
from saver.server.limits import ConnectionLimits
from tests.support.connection_manager import FakeClockManager, Peer
from tests.support.server import ROOT
from tests.support.slow import JSON, WRITE

LIMITS = ConnectionLimits(request_timeout=20, max_body=1_100_000, max_connections=10)
# 100 kbit/s.
LINE = 12_500
# Much more than the buffers of a socket hold.
LONG = 2_000_000


def echo() -> Flask:
    """What an app gets of a request."""
    app = Flask("echo")

    @app.post("/api/v1/write")
    def write() -> dict[str, Any]:
        variables = {name: value for name, value in request.environ.items() if isinstance(value, str)}
        return {"length": len(request.get_data()), **variables}

    @app.get("/long")
    def long() -> str:
        return "x" * LONG

    return app


def in_loop(test: Callable[[FakeClockManager], Awaitable[None]], limits: ConnectionLimits = LIMITS) -> None:
    async def run() -> None:
        await asyncio.wait_for(test(FakeClockManager(echo(), limits, 2, Config())), 60)

    asyncio.run(run())


def header(length: int, *more: bytes) -> bytes:
    return WRITE + JSON + b"Connection: close\r\n" + b"".join(more) + b"Content-Length: %d\r\n\r\n" % length


def test_a_megabyte_over_a_line_of_100_kilobits_arrives() -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager)
        await peer.send(header(1_000_000))
        for _ in range(1_000_000 // LINE):
            manager.pass_by(1)
            await peer.send(b"x" * LINE)
        assert (await peer.reply()).document["length"] == 1_000_000
        assert manager.timed_out == 0

    in_loop(test)


def drip(*, head: bool) -> Iterable[bytes]:
    """Send a byte a second without an end."""
    yield WRITE if head else header(1_000_000)
    while True:
        yield b"x"


@pytest.mark.parametrize("head", [True, False], ids=["header", "body"])
def test_a_byte_a_second_is_cut_off(head: bool) -> None:
    async def test(manager: FakeClockManager) -> None:
        peer, bytes_of = await Peer.of(manager), iter(drip(head=head))
        for _ in range(20):
            await peer.send(next(bytes_of))
            manager.pass_by(1)
            assert manager.timed_out == 0 or manager.seconds == 20
        manager.pass_by(1)
        assert (await peer.reply()).status == 408
        assert manager.timed_out == 1

    in_loop(test)


def test_what_is_idle_is_closed_without_a_word() -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager)
        manager.pass_by(LIMITS.idle)
        with pytest.raises(ValueError, match="no answer"):
            await peer.reply()
        assert manager.timed_out == 0

    in_loop(test)


def test_the_longest_waiting_connection_makes_room_for_bodies() -> None:
    limits = ConnectionLimits(request_timeout=20, max_body=10_000, max_connections=100)

    async def test(manager: FakeClockManager) -> None:
        peers = [await Peer.of(manager) for _ in range(20)]
        for peer in peers:
            await peer.send(header(10_000) + b"x" * 9_000)
        assert 0 < manager.buffered <= limits.max_memory
        cut = manager.timed_out
        assert 0 < cut < 20
        for peer in peers[:cut]:
            assert (await peer.reply()).status == 408
        for peer in peers[cut:]:
            await peer.send(b"x" * 1_000)
            assert (await peer.reply()).document["length"] == 10_000
        assert manager.buffered == 0

    in_loop(test, limits)


def test_an_unread_answer_makes_room_first() -> None:
    limits = ConnectionLimits(request_timeout=20, max_body=LONG // 16, max_connections=100)

    async def test(manager: FakeClockManager) -> None:
        reader, *peers = [await Peer.of(manager) for _ in range(21)]
        await reader.send(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        while all(one.state is not ConnectionState.SENDING for one in manager.connections):
            await asyncio.sleep(0)
        assert manager.buffered > limits.max_memory / 2
        for peer in peers:
            await peer.send(header(60_000) + b"x" * 50_000)
        assert manager.timed_out == 0
        for peer in peers:
            await peer.send(b"x" * 10_000)
            assert (await peer.reply()).document["length"] == 60_000
        assert manager.buffered == 0

    in_loop(test, limits)


def test_the_longest_waiting_connection_makes_room_for_connections() -> None:
    async def test(manager: FakeClockManager) -> None:
        first, second = await Peer.of(manager), await Peer.of(manager)
        await first.send(WRITE)
        await second.send(header(1)[:-2])
        assert manager.waiting.drop_oldest()
        assert (await first.reply()).status == 408
        await second.send(b"\r\nx")
        assert (await second.reply()).status == 200
        assert not manager.waiting.drop_oldest(), "nobody waits"

    in_loop(test)


def test_the_app_gets_the_request() -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager, ("192.0.2.1", 4_000))
        forwarded = b"X-Forwarded-For: 192.0.2.2\r\nX-Forwarded-For: 192.0.2.3, 192.0.2.4\r\n"
        strange = b"X_Forwarded_For: 192.0.2.9\r\nX-Name: caf\xe9\r\n"
        await peer.send(header(0, forwarded, strange))
        environ = (await peer.reply()).document
        assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.2,192.0.2.3, 192.0.2.4"
        assert (environ["REMOTE_ADDR"], environ["HTTP_X_NAME"]) == ("192.0.2.1", "caf\xe9")

    in_loop(test)


def test_chunks_have_a_length() -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager)
        await peer.send(WRITE + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.send(b"3\r\nabc\r\n0\r\n\r\n")
        environ = (await peer.reply()).document
        assert (environ["CONTENT_LENGTH"], environ["length"]) == ("3", 3)
        assert "HTTP_TRANSFER_ENCODING" not in environ

    in_loop(test)


def test_a_peer_on_a_unix_socket_has_no_address() -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager)
        await peer.send(header(0))
        assert (await peer.reply()).document["REMOTE_ADDR"] == ""

    in_loop(test)


def test_a_process_that_stops_answers_what_is_under_way_and_closes() -> None:
    async def test(manager: FakeClockManager) -> None:
        half, late, idle = [await Peer.of(manager) for _ in range(3)]
        whole = header(2).replace(b"Connection: close\r\n", b"") + b"{}"
        await half.send(whole[:-1])
        manager.stop()
        await half.send(whole[-1:])
        await late.send(whole)
        for peer in (half, late):
            reply = await peer.reply()
            assert (reply.status, reply.headers["connection"]) == (200, "close")
        manager.pass_by(1)
        with pytest.raises(ValueError, match="no answer"):
            await idle.reply()

    in_loop(test)


def test_a_process_that_stops_knows_those_whom_it_has_just_accepted() -> None:
    async def test(manager: FakeClockManager) -> None:
        accepted = Connection(manager, "", "")
        manager.stop()
        assert manager.connections == {accepted}

    in_loop(test)


def test_a_fault_under_the_app_is_a_500_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def test(manager: FakeClockManager) -> None:
        peer = await Peer.of(manager)
        await peer.send(header(2) + b"{}")
        reply = await peer.reply()
        assert (reply.status, json.loads(reply.body)["type"]) == (500, "urn:saver:problem:http-500")

    async def run() -> None:
        app = echo()
        app.wsgi_app = broken  # type: ignore[method-assign]
        await test(FakeClockManager(app, LIMITS, 2, Config()))

    def broken(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise RuntimeError("kanariya")

    asyncio.run(run())
    assert "kanariya" not in caplog.text
    assert "RuntimeError" in caplog.text


def test_the_master_of_gunicorn_does_not_have_the_app() -> None:
    """Otherwise ``kill -HUP`` would start new processes with old code."""
    seen = (
        "import sys, saver.server; print('saver.app' in sys.modules, 'saver.server.process' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"
