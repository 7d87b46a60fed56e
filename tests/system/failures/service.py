"""A service in a folder and clients that write, for the failure tests. Standard library only."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import string
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.support.process import free_port
from tests.support.server import ROOT, environment
from tests.system.checks import BrokenError, must, run, until

CODES = 20_000
_TIMEOUT = 60.0
_NO_LIMITS = dict.fromkeys(
    (
        *("writes_a_minute", "writes_an_hour", "loads_a_minute", "live_texts", "live_bytes"),
        *("misses_a_minute", "misses_an_hour", "misses_a_day", "misses_a_day_in_all"),
    ),
    0,
)


class Service:
    """A service in a folder: a pool of 20,000 codes, no rate limits, and the processes that a test starts."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.database = folder / "saver.db"
        self.log = folder.parent / f"{folder.name}.log"
        self.port = free_port()
        self.environ = environment(folder, {**_NO_LIMITS, **settings})
        self._processes: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> None:
        """Make the tables and some codes."""
        must(self.flask("db", "upgrade").returncode == 0, "the tables are made")
        letters = string.ascii_letters
        codes = [f"{a}{b}{c}{d}" for a in "abc" for b in letters for c in letters for d in letters[:3]]
        with closing(sqlite3.connect(self.database)) as database, database:
            database.executemany("INSERT INTO code VALUES (?)", [(code,) for code in codes[:CODES]])

    def flask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command."""
        flask = (sys.executable, "-m", "flask", "--app", "saver")
        return run(*flask, *command, check=False, cwd=ROOT, env=self.environ)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a process of the service."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**self.environ, **environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def web(self) -> subprocess.Popen[bytes]:
        """Start the API, and wait until it answers."""
        process = self.start(*gunicorn(f"127.0.0.1:{self.port}"))
        until(lambda: self.get("/healthz") == 200, "the API answers")
        return process

    def worker(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start the worker."""
        return self.start("-m", "saver.worker", **environ)

    def get(self, path: str) -> int:
        """The status of a GET; 0 if there was no response."""
        return self._request("GET", path, None)[0]

    def write(self, text: str, expires_in: int = 3600) -> tuple[int, str]:
        """Write a text: the status, and the code if there is one."""
        status, answer = self._request("POST", "/api/v1/write", {"text": text, "expires_in": expires_in})
        return status, str(answer.get("code", ""))

    def load(self, code: str) -> str | None:
        """The text under a code, or None."""
        status, answer = self._request("POST", "/api/v1/load", {"code": code})
        return str(answer["text"]) if status == 200 else None

    def guess(self, source: str) -> int:
        """Load a free code as a client of a proxy with this address; the status."""
        return self._request("POST", "/api/v1/load", {"code": "ZZZZ"}, source)[0]

    def _request(
        self, method: str, path: str, body: object, source: str = ""
    ) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection), suppress(OSError, http.client.HTTPException, ValueError):
            headers = {"Content-Type": "application/json", **({"X-Forwarded-For": source} if source else {})}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        return 0, {}

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Query the database directly."""
        with closing(sqlite3.connect(self.database, timeout=20)) as database:
            return database.execute(statement).fetchall()

    def audit(self) -> None:
        """Require that every code is in exactly one table, and that the file is intact."""
        [(free, leased, both)] = self.query(
            "SELECT (SELECT count(*) FROM code), (SELECT count(*) FROM text),"
            " (SELECT count(*) FROM text JOIN code USING (code))"
        )
        must((int(str(free)) + int(str(leased)), both) == (CODES, 0), f"codes: {free}, {leased}, {both}")
        must(self.query("PRAGMA integrity_check") == [("ok",)], "the file is damaged")

    def heartbeat(self) -> int:
        """When a worker last finished a sweep, in UTC seconds."""
        found = self.query("SELECT beat_at FROM sweeper")
        return int(str(found[0][0])) if found else 0

    def signal(self, number: int) -> None:
        """Send a signal to every process of the service."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def stop(self) -> None:
        """End every process."""
        self.signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()


class Writers:
    """Clients that write until they are stopped; ``acknowledged`` has the text under each code."""

    def __init__(self, service: Service, count: int = 4, size: int = 200) -> None:
        self.acknowledged: dict[str, str] = {}
        self.statuses: dict[int, int] = {}
        self._service, self._size = service, size
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(seed,), daemon=True) for seed in range(count)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT)

    def _write(self, seed: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            text = f"{seed}.{number}.".ljust(self._size, "x")
            status, code = self._service.write(text)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 201:
                self.acknowledged[code] = text
            else:
                self._stop.wait(0.05)


def gunicorn(address: str) -> list[str]:
    """The arguments of Python that serve the API on an address."""
    serve = ["-m", "gunicorn", "saver:create_app()", "--bind", address, "--workers", "2"]
    return [*serve, "--worker-class", "saver.server.Worker", "--threads", "8", "--no-control-socket"]


def lost(service: Service, acknowledged: dict[str, str]) -> int:
    """How many of the acknowledged texts do not load."""
    return sum(service.load(code) != text for code, text in acknowledged.items())


@contextmanager
def failure_test(*, root: bool = False) -> Iterator[Path]:
    """A folder for a failure test; a failed check ends the process with status 1."""
    if root and os.geteuid() != 0:
        raise SystemExit("this failure test mounts a file system or makes a network: run it as root")
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="failure-test-") as folder:
        try:
            yield Path(folder)
        except BrokenError as error:
            raise SystemExit(f"BROKEN: {error}") from None


@contextmanager
def service_in(folder: Path, **settings: object) -> Iterator[Service]:
    """A prepared service that leaves no process behind."""
    folder.mkdir(exist_ok=True)
    service = Service(folder, **settings)
    try:
        service.prepare()
        yield service
    finally:
        service.stop()


def unmount(folder: Path) -> None:
    """Unmount a folder as soon as the killed processes are gone."""
    until(lambda: run("umount", folder, check=False).returncode == 0, f"umount {folder}")
