"""kill -9 in the middle: what was acknowledged is there afterwards, and no step is done by half."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

import pytest

from saver.codes import SPACE, Code
from saver.leases.pool import LETTERS, PER_LETTER
from tests.conftest import NO_LIMITS
from tests.races import PATIENCE, together
from tests.server import ROOT, Server, environment, wait_until
from tests.snapshot import ask, put_codes, snapshot

# The long run: CRASH_KILLS=200 ./scripts/test tests/test_crash.py
KILLS = int(os.environ.get("CRASH_KILLS", "50"))
TURNS = 10
WRITERS = 6
POOL = [Code.nth(number * 365) for number in range(20_000)]
SHORT, LONG = 1, 3_600
SETTINGS = {**NO_LIMITS, "min_expires_in": 1, "rest": 1, "sweep_every": 1}


class Acknowledged(NamedTuple):
    """A text that somebody was told is kept."""

    code: str
    body: str


class Writers:
    """Write until they are stopped, whoever dies meanwhile; note what was acknowledged."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self.acknowledged: list[Acknowledged] = []
        self.count = 0
        self.once = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Writers:
        works = [lambda seed=seed: self._write(Random(seed)) for seed in range(WRITERS)]
        self._all = threading.Thread(target=lambda: together(works, 4 * PATIENCE), daemon=True)
        self._all.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._all.join(PATIENCE)
        assert not self._all.is_alive()

    def _write(self, random: Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        while not self._stop.is_set():
            lasts = random.random() < 0.25
            body = f"{random.getrandbits(128):x}" * random.choice([1, 1, 1, 300])
            try:
                if random.random() < 0.1:
                    self._write_once(connection, body, random)
                else:
                    self._write_and_load(connection, body, LONG if lasts else SHORT)
            except (OSError, http.client.HTTPException, ValueError):
                # Nobody was told anything, so the text may be there or not.
                connection.close()
                self._stop.wait(0.01)

    def _write_and_load(self, connection: http.client.HTTPConnection, body: str, life: int) -> None:
        began = time.time()
        status, written = post(connection, "write", {"text": body, "expires_in": life})
        if status != 201:
            self.wrong.append(f"{status} {written}")
            return
        self.count += 1
        code = str(written["code"])
        if life == LONG:
            self.acknowledged.append(Acknowledged(code, body))
        status, loaded = post(connection, "load", {"code": code})
        if time.time() < began + life and loaded.get("text") != body:
            self.wrong.append(f"{status}, before it expired")

    def _write_once(self, connection: http.client.HTTPConnection, body: str, random: Random) -> None:
        """A one-time text: whatever dies meanwhile, one claim reads it, and no other does."""
        mine, other = (str(UUID(int=random.getrandbits(128))) for _ in range(2))
        status, written = post(connection, "write", {"text": body, "expires_in": LONG, "once": True})
        if status != 201:
            self.wrong.append(f"{status} {written}")
            return
        self.count += 1
        code = str(written["code"])
        if self._ask_until_answered(connection, {"code": code, "claim": mine}).get("text") != body:
            self.wrong.append("a one-time text was burnt by a lost answer")
        if "text" in self._ask_until_answered(connection, {"code": code, "claim": other}):
            self.wrong.append("a one-time text was read twice")
        self.once += 1

    def _ask_until_answered(self, connection: http.client.HTTPConnection, body: object) -> dict[str, object]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return post(connection, "load", body)[1]
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()
                self._stop.wait(0.01)
        return {}


def post(connection: http.client.HTTPConnection, route: str, body: object) -> tuple[int, dict[str, object]]:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/{route}", json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def children(pid: int) -> list[int]:
    """The processes that gunicorn's master has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def process_of(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that does not outlive its test."""
    with (folder / "process.log").open("ab") as log:
        environ = environment(folder, SETTINGS)
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=environ, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def kill_some(server: Server, random: Random, *, everything: bool) -> None:
    """The whole server, or one or both of the processes that serve."""
    assert server._process is not None
    if everything:
        server.kill()
        return
    workers = children(server._process.pid)
    kill(*random.sample(workers, min(len(workers), random.choice([1, 2, 2]))))


def test_kills_lose_nothing_that_was_acknowledged(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Imported once by the master: a process that was killed is back in a moment.
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--preload")
    database = tmp_path / "saver.db"
    shutil.copy(migrated, database)
    put_codes(database, list(POOL))
    random = Random(9)
    with Server(tmp_path, SETTINGS, threads=4) as server:
        try:
            with Writers(server.port) as writers:
                for spell in range(KILLS // TURNS):
                    # A sweeper is among them, and in its turn it is killed too.
                    with process_of(tmp_path, "-m", "saver.worker"):
                        for turn in range(TURNS):
                            wanted = writers.count + random.randrange(5, 60)
                            wait_until(lambda wanted=wanted: writers.count >= wanted, "nothing is written")
                            kill_some(server, random, everything=turn == TURNS - 1)
                            assert snapshot(database).misplaced(POOL) == {}, f"{spell}.{turn}"
                    server.start()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            kept = writers.acknowledged
            loaded = [post(connection, "load", {"code": text.code})[1].get("text") for text in kept]
            connection.close()
        finally:
            server.kill()
    assert loaded == [text.body for text in kept]
    assert len({text.code for text in kept}) == len(kept) > KILLS
    assert writers.wrong == []
    assert writers.once > KILLS // TURNS
    assert snapshot(database).misplaced(POOL) == {}
    [(check,)] = ask(database, "PRAGMA integrity_check")
    assert check == "ok"


def per_letter(database: Path) -> dict[str, int]:
    """How many codes of each first letter are in the pool."""
    grouped = "SELECT substr(code, 1, 1), count(*) FROM code GROUP BY 1"
    return {str(letter): int(str(count)) for letter, count in ask(database, grouped)}


def test_a_fill_that_was_killed_goes_on_where_it_stopped(tmp_path: Path, migrated: Path) -> None:
    database = tmp_path / "saver.db"
    shutil.copy(migrated, database)
    leased = ["AAAA", "Mmmm", "aaaa", "wUrp", "zzzz"]
    insert = "INSERT INTO text (code, body, owner_hash, expires_at, free_at) VALUES (?, 'kept', x'00', 1, 1)"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(insert, [(code,) for code in leased])
    script = str(ROOT / "scripts" / "auto_insert.py")
    full = {first: PER_LETTER - sum(code[0] == first for code in leased) for first in LETTERS}
    # The codes are added in order, so a later one tells how far it is.
    reached = "SELECT 1 FROM code WHERE code >= ? LIMIT 1"
    random = Random(3)
    for letter in ("B", "F"):
        with process_of(tmp_path, script):
            wait_until(partial(ask, database, reached, letter), "the fill does not go on")
            moment = time.monotonic() + random.random() / 10
            wait_until(lambda moment=moment: time.monotonic() >= moment, "time does not pass")
        found = per_letter(database)
        assert found == {first: full[first] for first in found}, "a letter was added by half"
        assert letter in found
        assert len(found) < len(LETTERS), "it was killed too late to tell anything"
    with process_of(tmp_path, script) as last:
        assert last.wait(2 * PATIENCE) == 0
    assert per_letter(database) == full
    assert ask(database, "SELECT code FROM text ORDER BY code") == [(code,) for code in leased]
    both = "SELECT count(*) FROM text JOIN code USING (code)"
    assert ask(database, both) == [(0,)]
    assert sum(full.values()) + len(leased) == SPACE


def test_a_sweep_that_was_killed_leaves_no_half_step(tmp_path: Path, migrated: Path) -> None:
    database = tmp_path / "saver.db"
    shutil.copy(migrated, database)
    insert = "INSERT INTO text (code, body, owner_hash, expires_at, free_at) VALUES (?, 'old', x'00', 1, 2)"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(insert, [(code,) for code in POOL])
    free = 0
    random = Random(5)
    for _ in range(3):
        wanted = free + random.randrange(1, 2_000)
        with process_of(tmp_path, "-m", "saver.worker"):
            wait_until(lambda wanted=wanted: len(snapshot(database).free) >= wanted, "nothing is swept")
        found = snapshot(database)
        assert found.misplaced(POOL) == {}
        assert found.leased, "it was killed too late to tell anything"
        free = len(found.free)
    with process_of(tmp_path, "-m", "saver.worker"):
        wait_until(lambda: not snapshot(database).leased, "the sweep does not end", PATIENCE)
    assert sorted(snapshot(database).free) == sorted(POOL)
