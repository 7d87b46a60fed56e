"""`./scripts/serve` as a person runs it: started for real, looked at from outside, and killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVE = ROOT / "scripts" / "serve"
TIMEOUT = 60.0


def until(what: str, look: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            pytest.fail(f"not in {seconds:.0f} s: {what}")
        time.sleep(0.02)


def clean_environ(**more: str) -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("SAVER_")}
    return {**kept, "SAVER_ENV_FILE": "", **more}


def children(pid: int) -> list[int]:
    """The children of a process, zombies not counted."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(folder.name))
    return found


def family(pid: int) -> set[int]:
    """A process and all below it."""
    return {pid}.union(*(family(child) for child in children(pid)))


def alive(pids: set[int]) -> set[int]:
    """Which of them still run."""
    return {pid for pid in pids if (state := state_of(pid)) and state != "Z"}


def state_of(pid: int) -> str:
    """The state letter of a process, or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def name_of(pid: int) -> str:
    """The name of a process, or nothing."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def open_files(pid: int) -> set[str]:
    """What a process has open: paths of files, numbers of sockets and pipes."""
    return {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}


def paths(pid: int) -> set[Path]:
    """The files that a process has open."""
    return {Path(name) for name in open_files(pid)}


def listening_sockets(pid: int) -> set[str]:
    """The sockets of a process that wait for connections."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return open_files(pid) & {f"socket:[{fields[9]}]" for fields in lines if fields[3] == "0A"}


class Serve:
    """One run of scripts/serve on a free port."""

    def __init__(self, data: Path, home: Path, **environ: str) -> None:
        self._log = (data.parent / f"{data.name}.log").open("w+")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, SERVE, "--python", sys.executable, "--port", "0", "--data-dir", data],
            cwd=data.parent,
            env=clean_environ(HOME=str(home), **environ),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        self.address = self.first_line.strip()

    @property
    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text()

    @property
    def api(self) -> int:
        return self._child("saver-api")

    @property
    def worker(self) -> int:
        return self._child("saver-worker")

    @property
    def set_up(self) -> int:
        return self._child("saver-set-up")

    def _child(self, name: str) -> int:
        return next((pid for pid in children(self.process.pid) if name_of(pid) == name), 0)

    def ask(self, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body; (0, b"") if nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def wait_up(self) -> Serve:
        """Wait until the API answers."""
        self.wait_for("healthz answers", lambda: self.ask("/healthz")[0] == 200)
        return self

    def wait_whole(self) -> set[int]:
        """Wait until launcher, API, two processes of it and worker are there; their numbers."""
        self.wait_for("two API processes and a worker", lambda: self.worker and len(children(self.api)) >= 2)
        return family(self.process.pid)

    def wait_for(self, what: str, look: Callable[[], object]) -> None:
        """Wait until it is so, as long as the launcher runs."""
        until(f"{what}:\n{self.log}", lambda: look() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as the terminal or the system does; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        pids = family(self.process.pid)
        for pid in alive(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that all share, so that the pool is filled once."""
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def first(data: Path, home: Path) -> Iterator[Serve]:
    """The first start of all."""
    served = Serve(data, home)
    yield served
    served.close()


@pytest.fixture
def serve(first: Serve, data: Path, home: Path) -> Iterator[Serve]:
    """A later start, up and answering, after the first one has done its work."""
    if first.process.poll() is None:
        first.wait_up()
        first.stop()
    served = Serve(data, home)
    try:
        yield served.wait_up()
    finally:
        served.close()


def test_first_start(first: Serve, data: Path, home: Path) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", first.first_line)
    first.wait_up()
    assert re.search(r"pool: +[1-9]\d*%", first.log), "a progress bar"
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "saver.db").stat().st_mode) == 0o600
    first.wait_for("readyz is ok", lambda: first.ask("/readyz")[0] == 200)
    status, body = first.ask("/api/v1/write", {"text": "from one computer\r\nto another"})
    assert status == 201, body
    status, body = first.ask("/api/v1/load", {"code": json.loads(body)["code"]})
    assert (status, json.loads(body)["text"]) == (200, "from one computer\r\nto another")
    before = first.wait_whole()
    assert first.stop(signal.SIGINT) == 0
    assert not alive(before)
    assert "Traceback" not in first.log
    assert not list(home.iterdir()), "nothing is written to HOME"


def test_second_start_is_quick_and_keeps_the_secret(
    serve: Serve, data: Path, record_property: Callable[[str, object], None]
) -> None:
    took = time.monotonic() - serve.began
    record_property("second_start_seconds", round(took, 2))
    assert took < TIMEOUT
    secret = (data / "secret_key").read_bytes()
    assert len(secret) >= 32
    assert serve.stop() == 0
    again = Serve(data, data.parent)
    try:
        again.wait_up()
        assert (data / "secret_key").read_bytes() == secret
    finally:
        again.close()


@pytest.mark.parametrize("parent", ["supervisor", "API"])
def test_no_connection_crosses_the_fork(serve: Serve, data: Path, parent: str) -> None:
    serve.wait_whole()
    serve.wait_for("the worker has opened the database", lambda: data / "saver.db" in paths(serve.worker))
    pid = serve.api if parent == "API" else serve.process.pid
    assert not [path for path in paths(pid) if path.is_relative_to(data)]
    assert str(data) not in Path(f"/proc/{pid}/maps").read_text(), "nor is a file of it mapped"
    sockets = {name for name in open_files(pid) if name.startswith("socket:")}
    assert len(sockets) == (1 if parent == "API" else 0), "only the one that listens"
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1, "one thread"


def test_only_the_api_holds_the_port(serve: Serve) -> None:
    serve.wait_whole()
    assert listening_sockets(serve.api)
    assert not listening_sockets(serve.worker)
    assert not listening_sockets(serve.process.pid)


def test_sigterm_stops_all(serve: Serve) -> None:
    before = serve.wait_whole()
    assert serve.stop(signal.SIGTERM) == 0
    assert not alive(before)


def test_sigterm_before_anything_is_imported(data: Path, home: Path) -> None:
    starting = Serve(data, home)
    try:
        assert starting.stop(signal.SIGTERM) == 0
        assert "Traceback" not in starting.log
    finally:
        starting.close()


def test_sigterm_stops_the_set_up(tmp_path: Path, home: Path) -> None:
    starting = Serve(tmp_path / "data", home)
    try:
        starting.wait_for("the pool is being filled", lambda: "pool: 10%" in starting.log)
        before = family(starting.process.pid)
        assert starting.set_up in before
        assert starting.stop(signal.SIGTERM) == 0
        assert not alive(before)
        assert "Traceback" not in starting.log
    finally:
        starting.close()


def test_killed_set_up_stops_all(tmp_path: Path, home: Path) -> None:
    starting = Serve(tmp_path / "data", home)
    try:
        starting.wait_for("the set-up runs", lambda: starting.set_up)
        os.kill(starting.set_up or pytest.fail("it has ended"), signal.SIGKILL)
        assert starting.process.wait(TIMEOUT) == 1
        assert "the set-up did not end well (signal 9)" in starting.log
    finally:
        starting.close()


def test_killed_worker_is_replaced(serve: Serve) -> None:
    serve.wait_whole()
    killed = serve.worker
    os.kill(killed, signal.SIGKILL)
    serve.wait_for("another worker is there", lambda: serve.worker not in {0, killed})
    assert "the worker ended (signal 9)" in serve.log
    assert serve.ask("/healthz")[0] == 200


def test_killed_api_process_is_replaced(serve: Serve) -> None:
    serve.wait_whole()
    killed = children(serve.api)[0]
    os.kill(killed, signal.SIGKILL)
    serve.wait_for("two again", lambda: len(set(children(serve.api)) - {killed}) >= 2)


def test_dead_api_stops_all(serve: Serve) -> None:
    before = serve.wait_whole()
    os.kill(serve.api, signal.SIGKILL)
    assert serve.process.wait(TIMEOUT) == 1
    assert "the API stopped by itself (signal 9)" in serve.log
    until("all are gone", lambda: not alive(before))


def test_killed_launcher_leaves_nothing_running(serve: Serve) -> None:
    before = serve.wait_whole()
    serve.process.kill()
    until("all are gone", lambda: not alive(before - {serve.process.pid}), 30)


def test_address_is_said_before_anything_is_done(tmp_path: Path) -> None:
    ended = run("--port", "0", "--data-dir", str(tmp_path / "data"), "--python", "/bin/false")
    assert ended.returncode == 1
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", ended.stdout)


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_every_bad_setting_is_named_at_once(tmp_path: Path) -> None:
    ended = run(
        *("--port", "0", "--data-dir", str(tmp_path / "data")),
        SAVER_CODE_COOLDOWN="-1",
        SAVER_LOG_LEVEL="loud",
        SAVER_COLOUR="blue",
        SAVER_RATE_LIMIT_STORAGE="nonsense://:CANARY@",
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for name in ("SAVER_CODE_COOLDOWN", "SAVER_LOG_LEVEL", "SAVER_COLOUR", "SAVER_RATE_LIMIT_STORAGE"):
        assert name in ended.stderr
    assert "CANARY" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_bad_port_is_named_with_the_others(tmp_path: Path) -> None:
    ended = run("--data-dir", str(tmp_path / "data"), SAVER_PORT="eighty", SAVER_CODE_COOLDOWN="-1")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert {"SAVER_PORT", "SAVER_CODE_COOLDOWN"} <= set(re.findall(r"SAVER_\w+", ended.stderr))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAVER_DATABASE_URL", "nonsense"),
        ("SAVER_DATABASE_URL", "sqlite:////nowhere/saver.db"),
        ("SAVER_RATE_LIMIT_STORAGE", "redis://:CANARY@127.0.0.1?socket_timeot=1"),
    ],
)
def test_what_cannot_be_reached_is_said_in_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    ended = run("--port", "0", "--data-dir", str(tmp_path / "data"), **{name: value})
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("saver: ")
    assert name in ended.stderr or "database" in ended.stderr
    assert "CANARY" not in ended.stderr


def test_broken_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "saver.db").write_bytes(b"no database" * 1000)
    ended = run("--port", "0", "--data-dir", str(tmp_path))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "file is not a database" in ended.stderr
    assert str(tmp_path / "saver.db") in ended.stderr


@pytest.mark.parametrize("name", ["saver.db", "saver.db-gate"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    # A directory in its place, because root may write whatever a mode forbids.
    (tmp_path / name).mkdir()
    ended = run("--port", "0", "--data-dir", str(tmp_path))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert str(tmp_path / "saver.db") in ended.stderr.splitlines()[-1]


def test_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert str(tmp_path / "file") in ended.stderr


def test_help() -> None:
    ended = run("--help")
    assert ended.returncode == 0
    for option in ("--host", "--port", "--data-dir"):
        assert option in ended.stdout


def run(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/serve to its end, for what is refused."""
    return subprocess.run(
        [sys.executable, SERVE, "--python", sys.executable, *options],
        env=clean_environ(**environ),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "saver.db").write_bytes(b"no database" * 1_000)
    command = [sys.executable, "-m", "saver.serve", "--only-prepare"]
    environ = clean_environ(SAVER_DATA_DIR=str(tmp_path))
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"saver: the database {tmp_path}/saver.db does not work: file is not a database" in done.stderr


def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.touch()
    command = [sys.executable, "-m", "saver.serve", "--only-prepare"]
    environ = clean_environ(SAVER_DATA_DIR=str(place), SAVER_DATABASE_URL="nonsense")
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(place) in done.stderr
