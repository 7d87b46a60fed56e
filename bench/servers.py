"""The app and the baseline routes as real servers, and the resources of their processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.common import ROOT, address
from bench.processes import cpu_seconds_of, resident_of
from bench.same_server import workers
from saver.settings import PREFIX, Settings

_TIMEOUT = 60.0
_PROCESSES = f"{PREFIX}PROCESSES"


def without_limits() -> dict[str, str]:
    """Settings under which one source may write and load at will; misses keep their budgets."""
    settings = {}
    for name, field in Settings.model_fields.items():
        if "0: no limit" in (field.description or "") and not name.startswith("misses"):
            # A budget of loads stays on, since every load is to pay for it.
            settings[f"{PREFIX}{name.upper()}"] = "1000000000" if name.startswith("loads") else "0"
    return settings


class Served:
    """``with Served.app(folder) as server: …``: its address and its API processes."""

    def __init__(self, command: list[str], environ: Mapping[str, str], log: Path) -> None:
        self._command = command
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environ = {**inherited, "SAVER_ENV_FILE": "", **environ, "PYTHONPATH": str(ROOT)}
        self._log = log
        self._processes = int(environ.get(_PROCESSES, Settings.model_fields["processes"].default))
        self.url = ""
        self.pid = 0
        self.workers: list[int] = []

    @classmethod
    def app(cls, folder: Path, changed: Mapping[str, str] | None = None) -> Self:
        """saver, as scripts/serve starts it, its worker included."""
        command = [str(ROOT / "scripts" / "serve"), "--python", sys.executable, "--port", "0"]
        return cls(
            [*command, "--data-dir", str(folder)],
            {f"{PREFIX}DATABASE_URL": address(folder), **without_limits(), **(changed or {})},
            folder / "server.log",
        )

    @classmethod
    def baseline(cls, folder: Path, changed: Mapping[str, str] | None = None) -> Self:
        """The baseline routes under the same server with the same settings; they can query a PostgreSQL."""
        environ = {"BENCH_DATABASE": address(folder), **(changed or {})}
        waits = ["--waits"] if environ["BENCH_DATABASE"] else []
        return cls(
            [sys.executable, "-m", "bench.same_server", "bench.baseline:baseline_app", *waits],
            environ,
            folder / "baseline.log",
        )

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Linux shares the processors between sessions first, and scripts/serve makes one for the API.
                start_new_session=True,
            )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip().rstrip("/")
        deadline = time.monotonic() + _TIMEOUT
        while not (self._answers() and self._all_workers_run()):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._end()
                raise SystemExit(f"bench: {self._command} does not answer:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        """POST JSON; the status and the JSON of the answer."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {}

    def cpu_seconds(self) -> list[float]:
        """The processor time that each API process has used so far."""
        return [cpu_seconds_of(pid) for pid in self.workers]

    def memory(self) -> list[tuple[float, float]]:
        """Resident memory of each API process, in MB: all of it, and what is not a file's."""
        return [resident_of(pid) for pid in self.workers]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=_TIMEOUT) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _all_workers_run(self) -> bool:
        self.pid = self._process.pid
        self.workers = workers(self.pid)
        return len(self.workers) == self._processes

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(_TIMEOUT)
