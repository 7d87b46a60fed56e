"""Hundreds of slow clients from one address, and how long a normal client waits meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.servers.client import Client, receive, request
from tests.servers.names import WWW

OF_EACH_KIND = 500
# The goal is one second; the rest is for a busy machine. A full web server closes the first slow clients
# after ten seconds, and then accepts the next ones.
MAX_WAIT = 10.0
_BODY = {"Host": WWW, "Content-Type": "application/json", "Content-Length": "1000000"}


@dataclass(slots=True)
class WaitingTimes:
    """The connections of each kind, and what the normal client has seen."""

    heads: list[socket.socket] = field(default_factory=list)
    bodies: list[socket.socket] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@contextlib.contextmanager
def slow_clients(client: Client) -> Iterator[WaitingTimes]:
    """Open all three kinds at once; a normal client writes and loads all the time."""
    seen, stop = WaitingTimes(), threading.Event()
    normal = threading.Thread(target=_ask, args=(client, seen, stop))
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2 * OF_EACH_KIND) as pool:
        normal.start()
        stack.callback(normal.join)
        stack.callback(stop.set)

        def open_all(*kinds: Callable[[Client], socket.socket]) -> list[list[socket.socket]]:
            found = [pool.map(lambda kind: _open(kind, client), [kind] * OF_EACH_KIND) for kind in kinds]
            opened = [[connection for connection in some if connection] for some in found]
            for connection in itertools.chain(*opened):
                stack.enter_context(connection)
            return opened

        open_all(_idle)
        seen.bodies, seen.heads = open_all(_half_body, _half_head)
        yield seen


def stays_quick(seen: WaitingTimes, probes: int = 5) -> None:
    """Wait for so many more answers to the normal client; asserts that it never waited long."""
    wanted = len(seen.waited) + probes
    deadline = time.monotonic() + 60
    while len(seen.waited) < wanted and not seen.failed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not seen.failed, seen.failed[:3]
    assert len(seen.waited) >= wanted, "the normal client gets no answer"
    assert max(seen.waited) < MAX_WAIT, f"the normal client waited {max(seen.waited):.1f} s"
    print(f"write and load next to {3 * OF_EACH_KIND} slow clients: at most {max(seen.waited):.3f} s")  # noqa: T201


def _ask(client: Client, seen: WaitingTimes, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        started = time.monotonic()
        try:
            written = client.post("/api/v1/write", {"text": "normal"})
            assert written.status == 201, written.status
            loaded = client.post("/api/v1/load", {"code": written.document["code"]})
            assert loaded.status == 200, loaded.status
        except (OSError, AssertionError) as error:
            seen.failed.append(f"{type(error).__name__} {error} after {time.monotonic() - started:.1f} s")
        seen.waited.append(time.monotonic() - started)


def _open(kind: Callable[[Client], socket.socket], client: Client) -> socket.socket | None:
    # A web server may refuse a slow client; only the normal client counts.
    with contextlib.suppress(OSError):
        return kind(client)
    return None


def _half_head(client: Client) -> socket.socket:
    connection = client.connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
    return connection


def _half_body(client: Client) -> socket.socket:
    connection = client.connect()
    connection.sendall(request("POST", "/api/v1/write", _BODY) + b'{"text":')
    return connection


def _idle(client: Client) -> socket.socket:
    connection = client.connect()
    connection.sendall(request("GET", "/healthz", {"Host": WWW}))
    receive(connection)
    return connection
