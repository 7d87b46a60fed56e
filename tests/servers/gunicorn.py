"""gunicorn on a unix socket, as saver-proxy.conf expects it."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.process import Process, wait_until
from tests.support.server import environment


class Gunicorn:
    """The service behind the proxy."""

    def __init__(self, root: Path, settings: Mapping[str, object]) -> None:
        self._socket = root / "run" / "saver.sock"
        command = [sys.executable, "-m", "gunicorn", "saver:create_app()", "--bind", f"unix:{self._socket}"]
        command += ["--workers", "2", "--worker-class", "saver.server.Worker", "--threads", "8"]
        self._process = Process(
            [*command, "--no-control-socket"],
            root / "log" / "gunicorn.log",
            self._listens,
            folder=root,
            environ=environment(root / "data", {**settings, "trusted_proxies": "unix"}),
        )

    def start(self) -> None:
        """Start and wait until it listens."""
        self._process.start()

    def reload(self) -> None:
        """Start workers with the current code; the old ones finish their requests."""
        self._process.send(signal.SIGHUP)

    def workers(self) -> set[int]:
        """The worker processes."""
        return self._process.children()

    def stop(self) -> None:
        """Stop it."""
        self._process.kill()
        wait_until(lambda: not self._listens(), "gunicorn does not end")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self._socket))
            return True
        return False
