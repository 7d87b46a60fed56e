"""Bodies that are too long or have no length, and clients that take their time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from tests.apache.client import Client, receive, request
from tests.apache.instance import Apache
from tests.apache.names import WWW
from tests.apache.shipped import PROXY, shipped_defines
from tests.apache.test_errors import HSTS, POST, check
from tests.server import wait_until

MOST = int(shipped_defines()["SAVER_MAX_BODY"])
# More than Debian's 150 workers; all are gone when the head's ten seconds are over.
STALLED = 200
HEAD_SECONDS = 10
# While others wait for the slow ones to go they would wait that long, too.
QUICK = 0.5 * HEAD_SECONDS


def test_a_longer_body_is_refused_before_it_comes(https: Client) -> None:
    for expect in ({}, {"Expect": "100-continue"}):
        head = request("POST", "/api/v1/write", {**POST, "Content-Length": str(MOST + 1), **expect})
        check(https.send(head), 413, HSTS)


def test_the_longest_body_reaches_the_service(https: Client) -> None:
    body = b'{"text":"a","unknown":"' + b"a" * (MOST - 25) + b'"}'
    assert len(body) == MOST
    answer = https.send(request("POST", "/api/v1/write", {**POST, "Content-Length": str(MOST)}) + body)
    assert (answer.status, answer.document["type"]) == (422, "urn:saver:problem:invalid")


def test_the_longest_text_goes_in(https: Client) -> None:
    assert https.post("/api/v1/write", {"text": "\x01" * 1_048_576}).status == 201


def test_a_body_in_chunks_is_refused(https: Client) -> None:
    for length in ({}, {"Content-Length": "3"}):
        head = request("POST", "/api/v1/write", {**POST, "Transfer-Encoding": "chunked", **length})
        check(https.send(head + b"5\r\nhello\r\n0\r\n\r\n"), 411, HSTS)


def test_a_body_without_a_length_is_the_service_s_to_refuse(https: Client) -> None:
    answer = https.send(request("POST", "/api/v1/write", POST))
    assert (answer.status, answer.document["type"]) == (411, "urn:saver:problem:length")


def probed_beside_slow(
    https: Client, stack: contextlib.ExitStack, heads: int, bodies: int
) -> tuple[float, list[socket.socket]]:
    """Let so many stall while a probe stays quick: since when (monotonic), and their connections."""
    slow = [stack.enter_context(https.connect(tls=False)) for _ in range(heads)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
    started = time.monotonic()
    slow += [stack.enter_context(slow_body(https)) for _ in range(bodies)]
    waited: list[float] = []

    def probed_long_enough() -> bool:
        waited.append(probe(https))
        return time.monotonic() > started + HEAD_SECONDS - 1

    wait_until(probed_long_enough, "the probes do not end")
    assert max(waited) < QUICK
    return started, slow


def test_slow_clients_are_let_go_and_the_others_notice_nothing(apache: Apache, https: Client) -> None:
    """200 slow heads, and slow bodies: with mod_wsgi one, for each of them holds a thread of the daemons."""
    bodies = 40 if apache.variant == PROXY else 1
    with contextlib.ExitStack() as stack:
        started, slow = probed_beside_slow(https, stack, STALLED, bodies)
        for connection in (slow[0], slow[-1]):
            answer = receive(connection)
            check(answer, 408, HSTS if connection is slow[-1] else {})
        assert time.monotonic() - started < 2 * HEAD_SECONDS


def slow_body(https: Client) -> socket.socket:
    """A connection whose body does not come."""
    connection = https.connect()
    connection.sendall(request("POST", "/api/v1/write", {**POST, "Content-Length": "1000"}) + b"{")
    return connection


def probe(https: Client) -> float:
    """How long an honest client waits for its answer."""
    started = time.monotonic()
    assert https.get("/healthz").status == 200
    return time.monotonic() - started


def test_many_at_once_are_all_answered(https: Client) -> None:
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(https.get("/healthz", host=WWW).status for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 200
