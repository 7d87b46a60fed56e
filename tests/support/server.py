"""A real server for tests: the one that `scripts/serve` starts, with two processes on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition, what: str, patience: float = _PATIENCE) -> None:  # type: ignore[no-untyped-def]
    """Poll until the condition holds; fail with ``what`` when it does not in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited {patience:.0f} s in vain: {what}")


def _listener(port: int) -> socket.socket:
    """A socket as scripts/serve binds it, as soon as killed processes have let go of the port."""
    found: list[socket.socket] = []

    def is_bound() -> bool:
        with contextlib.suppress(OSError):
            # As many as want to connect at the same moment.
            found.append(socket.create_server(("127.0.0.1", port), backlog=2048))
        return bool(found)

    wait_until(is_bound, f"port {port} is not free")
    return found[0]


def environment(folder: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of a process of ours: nothing of the caller's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
    ours = {f"SAVER_{name.upper()}": str(value) for name, value in settings.items()}
    fixed = {"SAVER_DATA_DIR": str(folder), "SAVER_ENV_FILE": "", "PYTHONPATH": str(ROOT)}
    return {**kept, **ours, **fixed}


class Server:
    """``with Server(folder, settings) as server: server.post("/api/v1/load", {...})``."""

    def __init__(
        self, folder: Path, settings: Mapping[str, object], *, processes: int = 2, threads: int = 8
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._size = {"processes": processes, "threads": threads}
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it answers."""
        with self.log.open("ab") as log, _listener(self.port) as bound:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "saver.serve", "--activated", "--listener", str(bound.fileno())],
                cwd=self.folder,
                env=environment(self.folder, {**self._size, **self.settings}),
                pass_fds=[bound.fileno()],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self.answers, "the server does not answer")
        except AssertionError:
            self.kill()
            raise AssertionError(self.log.read_text()[-4000:]) from None

    def answers(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError):
            return self.get("/healthz")[0] == 200
        return False

    @property
    def parent(self) -> int:
        """The process whose children serve."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Stop as an operator would, and wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_PATIENCE)

    def kill(self) -> None:
        """kill -9 every process of it at once, and wait."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_PATIENCE)

    def post(self, path: str, body: object) -> tuple[int, dict[str, object]]:
        """POST JSON; the status and the JSON of the answer."""
        return self._ask(path, json.dumps(body).encode())

    def get(self, path: str) -> tuple[int, dict[str, object]]:
        """GET; the status and the JSON of the answer."""
        return self._ask(path, None)

    def _ask(self, path: str, body: bytes | None) -> tuple[int, dict[str, object]]:
        asked = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")
