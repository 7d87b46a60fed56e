"""A service with a few free codes, and a network in front of it that counts what passes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from bench.common import migrate, raw
from bench.servers import without_limits
from saver.settings import PREFIX
from tests.support.server import Server

_PIECE = 65_536
_QUIET = 0.2


@contextmanager
def service(folder: Path, codes: Sequence[str]) -> Iterator[Server]:
    """saver on a free port, with these codes free and no budgets."""
    folder.mkdir()
    migrate(folder)
    with raw(folder) as database:
        database.executemany("INSERT INTO code VALUES (?)", [(code,) for code in codes])
    chosen = {name.removeprefix(PREFIX).lower(): value for name, value in without_limits().items()}
    with Server(folder, chosen) as server:
        yield server


class Counting:
    """``with Counting(port) as network: network.url``; ``passed`` is the bytes so far, there and back."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.passed = 0
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def rest(self) -> None:
        """Wait until nothing passes any more."""
        before = -1
        while before != self.passed:
            before = self.passed
            time.sleep(_QUIET)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        try:
            near = self._tls.wrap_socket(near, server_side=True) if self._tls else near
        except OSError:
            # A browser that only wanted to see the certificate.
            return
        far = socket.create_connection(self._to)
        threading.Thread(target=self._carry, args=(far, near), daemon=True).start()
        self._carry(near, far)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(_PIECE):
                # Counted before the other side can have seen it.
                with self._lock:
                    self.passed += len(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # The other side has closed; there is nothing more to carry.
            source.close()
