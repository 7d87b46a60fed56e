"""gunicorn on a unix socket, as saver-proxy.conf wants it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import environment, wait_until


def children_of(pid: int) -> set[int]:
    """The children of a process, those that have ended not counted."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(folder.name))
    return found


class Gunicorn:
    """The service behind the proxy."""

    def __init__(self, root: Path, settings: Mapping[str, object]) -> None:
        self._root = root
        self._socket = root / "run" / "saver.sock"
        self._settings = {**settings, "trusted_proxies": "unix"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        command = [sys.executable, "-m", "gunicorn", "saver:create_app()", "--bind", f"unix:{self._socket}"]
        command += ["--workers", "2", "--worker-class", "saver.server.Worker", "--threads", "8"]
        command += ["--no-control-socket"]
        with (self._root / "log" / "gunicorn.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._root,
                env=environment(self._root / "data", self._settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._listens, "gunicorn does not listen")

    def reload(self) -> None:
        """New workers with the code that is there now; the old ones finish what they do."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        """The processes that answer."""
        assert self._process
        return children_of(self._process.pid)

    def stop(self) -> None:
        """End all of it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            wait_until(lambda: not self._listens(), "gunicorn does not end")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self._socket))
            return True
        return False
