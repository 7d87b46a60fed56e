"""What the drills share: a service in a folder, people who write, and figures. Standard library only."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import sqlite3
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CODES = 20_000
PATIENCE = 60.0
_NO_LIMITS = ("WRITES_A_MINUTE", "WRITES_AN_HOUR", "LOADS_A_MINUTE", "LIVE_TEXTS", "LIVE_BYTES")
_NO_LIMITS_ON_MISSES = ("MISSES_A_MINUTE", "MISSES_AN_HOUR", "MISSES_A_DAY", "MISSES_A_DAY_IN_ALL")


def figure(name: str, value: object) -> None:
    """Print one result."""
    print(f"{name:<52}{value}", flush=True)


def must(holds: object, what: str) -> None:
    """End with status 1 if something that must hold does not."""
    if not holds:
        raise SystemExit(f"BROKEN: {what}")


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> float:
    """Poll until it is so; how many seconds that took."""
    began = time.monotonic()
    while not condition():
        must(time.monotonic() < began + patience, f"not in {patience:.0f} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


def need_root() -> None:
    """Some drills mount a file system."""
    if os.geteuid() != 0:
        raise SystemExit("this drill mounts a file system: run it as root")


class Service:
    """A service in a folder: a pool of 20,000 codes, no budgets, and the processes that were asked for."""

    def __init__(self, folder: Path, python: Path, **settings: object) -> None:
        self.folder = folder
        self.database = folder / "saver.db"
        self.python = python
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
        limits = {f"SAVER_{name}": "0" for name in (*_NO_LIMITS, *_NO_LIMITS_ON_MISSES)}
        ours = {f"SAVER_{name.upper()}": str(value) for name, value in settings.items()}
        place = {"SAVER_DATA_DIR": str(folder), "SAVER_ENV_FILE": "", "PYTHONPATH": str(ROOT)}
        self.environ = {**kept, **limits, **ours, **place, "PYTHONDONTWRITEBYTECODE": "1"}
        self._processes: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> None:
        """Make the tables and some codes."""
        self.flask("db", "upgrade")
        letters = string.ascii_letters
        codes = [f"{a}{b}{c}{d}" for a in "abc" for b in letters for c in letters for d in letters[:3]]
        with closing(sqlite3.connect(self.database)) as database, database:
            database.executemany("INSERT INTO code VALUES (?)", [(code,) for code in codes[:CODES]])

    def flask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command."""
        asked = [str(self.python), "-m", "flask", "--app", "saver", *command]
        return subprocess.run(asked, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)

    def start(self, *command: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a process of the service."""
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.python), *command],
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
        address = f"127.0.0.1:{self.port}"
        serve = ["-m", "gunicorn", "saver:create_app()", "--bind", address, "--workers", "2"]
        threads = ["--worker-class", "saver.server.Worker", "--threads", "8", "--no-control-socket"]
        process = self.start(*serve, *threads)
        until(lambda: self.get("/healthz") == 200, "the API answers")
        return process

    def worker(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start the worker."""
        return self.start("-m", "saver.worker", **environ)

    def get(self, path: str) -> int:
        """The status of a GET; 0 if there was no answer."""
        return self._ask("GET", path, None)[0]

    def write(self, text: str, expires_in: int = 3600) -> tuple[int, str]:
        """Write a text: the status, and the code if there is one."""
        status, answer = self._ask("POST", "/api/v1/write", {"text": text, "expires_in": expires_in})
        return status, str(answer.get("code", ""))

    def load(self, code: str) -> str | None:
        """The text under a code, or None."""
        status, answer = self._ask("POST", "/api/v1/load", {"code": code})
        return str(answer["text"]) if status == 200 else None

    def guess(self, source: str) -> int:
        """Load a code that is nobody's, as somebody behind a proxy; the status."""
        return self._ask("POST", "/api/v1/load", {"code": "ZZZZ"}, source)[0]

    def _ask(self, method: str, path: str, body: object, source: str = "") -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection), suppress(OSError, http.client.HTTPException, ValueError):
            headers = {"Content-Type": "application/json", **({"X-Forwarded-For": source} if source else {})}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        return 0, {}

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Ask the database past the service."""
        with closing(sqlite3.connect(self.database, timeout=20)) as database:
            return database.execute(question).fetchall()

    def audit(self) -> None:
        """Every code is in exactly one place, and the file is whole."""
        [(free, leased, both)] = self.ask(
            "SELECT (SELECT count(*) FROM code), (SELECT count(*) FROM text),"
            " (SELECT count(*) FROM text JOIN code USING (code))"
        )
        must((int(str(free)) + int(str(leased)), both) == (CODES, 0), f"codes: {free}, {leased}, {both}")
        must(self.ask("PRAGMA integrity_check") == [("ok",)], "the file is damaged")

    def beat(self) -> int:
        """When a worker last finished a sweep, in UTC seconds."""
        found = self.ask("SELECT beat_at FROM sweeper")
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
    """Some who write until they are stopped; ``kept`` is what they were told is kept."""

    def __init__(self, service: Service, many: int = 4, size: int = 200) -> None:
        self.kept: dict[str, str] = {}
        self.statuses: dict[int, int] = {}
        self._service, self._size = service, size
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(seed,), daemon=True) for seed in range(many)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _write(self, seed: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            text = f"{seed}.{number}.".ljust(self._size, "x")
            status, code = self._service.write(text)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 201:
                self.kept[code] = text
            else:
                self._stop.wait(0.05)


def lost(service: Service, kept: dict[str, str]) -> int:
    """How many of the texts that were acknowledged do not load."""
    return sum(service.load(code) != text for code, text in kept.items())


@contextmanager
def drill(about: str) -> Iterator[tuple[Path, Path]]:
    """A folder and a Python for a drill, from its command line."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ROOT / ".venv" / "bin" / "python"
    parser.add_argument("--python", type=Path, default=default, help="a Python that has requirements.txt")
    given = parser.parse_args()
    # Told to stop it cleans up, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"== {Path(sys.argv[0]).name}", flush=True)
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="drill-") as folder:
        yield Path(folder), given.python.absolute()


@contextmanager
def service_in(folder: Path, python: Path, **settings: object) -> Iterator[Service]:
    """A prepared service that leaves no process behind."""
    folder.mkdir(exist_ok=True)
    made = Service(folder, python, **settings)
    try:
        made.prepare()
        yield made
    finally:
        made.stop()


def unmount(place: Path) -> None:
    """Unmount as soon as the processes that were killed are gone."""
    asked = ["umount", str(place)]
    until(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0, f"umount {place}")


def run(*command: object) -> None:
    """Run a command of the system's; a failure ends the drill."""
    subprocess.run([str(part) for part in command], check=True)
