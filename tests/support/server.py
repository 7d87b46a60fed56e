"""A real server for tests: the one that `scripts/serve` starts, with two processes on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.process import TIMEOUT, Process, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]


def _listener(port: int) -> socket.socket:
    """A socket as scripts/serve binds it, as soon as killed processes have let go of the port."""
    found: list[socket.socket] = []

    def is_bound() -> bool:
        with contextlib.suppress(OSError):
            # All clients of a test may connect at the same moment.
            found.append(socket.create_server(("127.0.0.1", port), backlog=2048))
        return bool(found)

    wait_until(is_bound, f"port {port} is not free")
    return found[0]


def environment(folder: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of a process of saver, without the settings of the caller."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
    ours = {f"SAVER_{name.upper()}": str(value) for name, value in settings.items()}
    fixed = {"SAVER_DATA_DIR": str(folder), "SAVER_ENV_FILE": "", "PYTHONPATH": str(ROOT)}
    return {**inherited, **ours, **fixed}


class Server:
    """``with Server(folder, settings) as server: server.post("/api/v1/load", {...})``."""

    def __init__(
        self, folder: Path, settings: Mapping[str, object], *, processes: int = 2, threads: int = 8
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        size = {"processes": processes, "threads": threads}
        self._process = Process(
            [sys.executable, "-m", "saver.serve", "--activated"],
            self.log,
            self.answers,
            folder=folder,
            environ=environment(folder, {**size, **settings}),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it answers."""
        with _listener(self.port) as bound:
            self._process.start(bound.fileno(), command=["--listener", bound.fileno()])

    def answers(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError):
            return self.get("/healthz")[0] == 200
        return False

    @property
    def parent(self) -> int:
        """The id of the parent of the processes that serve."""
        return self._process.pid

    def stop(self) -> None:
        """Stop as an operator would, and wait."""
        self._process.stop()

    def kill(self) -> None:
        """Kill all its processes with SIGKILL at once, and wait."""
        self._process.kill()

    def post(self, path: str, body: object, source: str = "") -> tuple[int, dict[str, object]]:
        """POST JSON; the status and the JSON of the answer. A trusted proxy can name a ``source`` address."""
        return self._ask(path, json.dumps(body).encode(), {"X-Forwarded-For": source} if source else {})

    def get(self, path: str) -> tuple[int, dict[str, object]]:
        """GET; the status and the JSON of the answer."""
        return self._ask(path, None, {})

    def _ask(self, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        headers = {"Content-Type": "application/json", **headers}
        asked = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")
