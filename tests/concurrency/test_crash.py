"""kill -9 at any moment: what was acknowledged is still there, and no step is done by half."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import pytest
from flask_migrate import upgrade

from saver import create_app
from saver.codes import SPACE, Code
from saver.store.pool import LETTERS, PER_LETTER
from tests.conftest import ALL_DATABASES, NO_LIMITS, address_of, settings_in
from tests.support.postgres import Cluster
from tests.support.process import wait_until
from tests.support.server import ROOT, Server, environment
from tests.support.snapshot import Database, execute, put_codes, query, snapshot
from tests.support.threads import TIMEOUT
from tests.support.writers import Writers, post

DATABASES = ALL_DATABASES

# The long run: CRASH_KILLS=200 ./scripts/test tests/concurrency/test_crash.py
KILLS = int(os.environ.get("CRASH_KILLS", "50"))
TURNS = 10
# Before these kills the database server crashes too, if there is one.
CRASHES = (3, 8)
POOL = [Code.nth(number * 365) for number in range(20_000)]
SETTINGS = {**NO_LIMITS, "min_expires_in": 1, "code_cooldown": 1, "sweep_interval": 1}


def children(pid: int) -> list[int]:
    """The worker processes of gunicorn."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def process_of(deployment: Deployment, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of saver that ends with the block."""
    with (deployment.folder / "process.log").open("ab") as log:
        environ = environment(deployment.folder, deployment.settings)
        process = subprocess.Popen(
            [sys.executable, *command], cwd=deployment.folder, env=environ, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(TIMEOUT)


@dataclass(frozen=True)
class Deployment:
    """A database that waits for the disk, and the settings of its processes."""

    folder: Path
    database: Database
    cluster: Cluster | None

    @property
    def settings(self) -> dict[str, object]:
        """The settings in the environment of the processes."""
        return {**SETTINGS, **address_of(self.database)}

    def crash_the_server(self) -> None:
        """Crash the database server and start it again; unlike a power cut, the kernel keeps its cache."""
        if self.cluster:
            self.cluster.stop("immediate")
            self.cluster.start()

    def faults(self) -> list[object]:
        """The errors that the database finds itself."""
        if isinstance(self.database, Path):
            return [fault for (fault,) in query(self.database, "PRAGMA integrity_check") if fault != "ok"]
        execute(self.database, "CREATE EXTENSION IF NOT EXISTS amcheck")
        check = "SELECT bt_index_check(oid, true) FROM pg_class WHERE relname IN ('pk_code', 'pk_text')"
        assert len(query(self.database, check)) == 2
        return []


@pytest.fixture
def deployment(database_kind: str, tmp_path: Path, migrated: Path) -> Iterator[Deployment]:
    if database_kind == "sqlite":
        shutil.copy(migrated, tmp_path / "saver.db")
        yield Deployment(tmp_path, tmp_path / "saver.db", None)
        return
    # It waits for the disk, as in production.
    with Cluster() as cluster:
        database = cluster.make()
        app = create_app(settings_in(tmp_path, database_url=database.address))
        with app.app_context():
            upgrade()
            app.extensions["sqlalchemy"].engine.dispose()
        yield Deployment(tmp_path, database, cluster)


def kill_some(server: Server, random: Random, *, everything: bool) -> None:
    """Kill the whole server, or one or both of the processes that serve."""
    if everything:
        server.kill()
        return
    workers = children(server.parent)
    kill(*random.sample(workers, min(len(workers), random.choice([1, 2, 2]))))


@pytest.mark.slow
def test_kills_lose_nothing_that_was_acknowledged(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The master has imported the app, so a killed process is replaced at once.
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--preload")
    database = deployment.database
    put_codes(database, list(POOL))
    random = Random(9)
    with Server(deployment.folder, deployment.settings, threads=4) as server:
        try:
            with Writers(server.port, may_be_away=deployment.cluster is not None).at_work() as writers:
                for spell in range(KILLS // TURNS):
                    # One of them sweeps, and is killed too.
                    with process_of(deployment, "-m", "saver.worker"):
                        for turn in range(TURNS):
                            wanted = writers.count + random.randrange(5, 60)
                            wait_for_writes(writers, wanted)
                            if turn in CRASHES:
                                deployment.crash_the_server()
                            kill_some(server, random, everything=turn == TURNS - 1)
                            assert snapshot(database).misplaced(POOL) == {}, f"{spell}.{turn}"
                    server.start()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
            acknowledged = writers.acknowledged
            loaded = [post(connection, "load", {"code": text.code})[1].get("text") for text in acknowledged]
            connection.close()
        finally:
            server.kill()
    assert loaded == [text.body for text in acknowledged]
    assert len({text.code for text in acknowledged}) == len(acknowledged) > KILLS
    assert writers.wrong == []
    assert writers.once > KILLS // TURNS
    assert snapshot(database).misplaced(POOL) == {}
    assert deployment.faults() == []


def per_letter(database: Database) -> dict[str, int]:
    """How many free codes start with each letter."""
    grouped = "SELECT substr(code, 1, 1), count(*) FROM code GROUP BY 1"
    return {str(letter): int(str(count)) for letter, count in query(database, grouped)}


@pytest.mark.slow
def test_a_fill_that_was_killed_goes_on_where_it_stopped(deployment: Deployment) -> None:
    database = deployment.database
    leased = ["AAAA", "Mmmm", "aaaa", "wUrp", "zzzz"]
    insert = "INSERT INTO text (code, body, owner_hash, expires_at, free_at) VALUES (?, 'kept', '', 1, 1)"
    execute(database, insert, [(code,) for code in leased])
    script = str(ROOT / "scripts" / "auto_insert.py")
    full = {first: PER_LETTER - sum(code[0] == first for code in leased) for first in LETTERS}
    # The codes are added in order, so one code shows the progress.
    reached = "SELECT 1 FROM code WHERE code >= ? LIMIT 1"
    random = Random(3)
    for letter in ("B", "F"):
        with process_of(deployment, script):
            wait_until(partial(query, database, reached, letter), "the fill does not go on")
            time.sleep(random.random() / 10)
        found = per_letter(database)
        assert found == {first: full[first] for first in found}, "a letter was added by half"
        assert letter in found
        assert len(found) < len(LETTERS), "it was killed too late to test anything"
    with process_of(deployment, script) as last:
        assert last.wait(2 * TIMEOUT) == 0
    assert per_letter(database) == full
    assert query(database, "SELECT code FROM text ORDER BY code") == [(code,) for code in leased]
    both = "SELECT count(*) FROM text JOIN code USING (code)"
    assert query(database, both) == [(0,)]
    assert sum(full.values()) + len(leased) == SPACE


@pytest.mark.slow
def wait_for_writes(writers: Writers, count: int) -> None:
    wait_until(lambda: writers.count >= count, "nothing is written")


def wait_for_free_codes(database: Database, count: int) -> None:
    wait_until(lambda: len(snapshot(database).free) >= count, "nothing is swept")


def test_a_sweep_that_was_killed_leaves_no_half_step(deployment: Deployment) -> None:
    database = deployment.database
    insert = "INSERT INTO text (code, body, owner_hash, expires_at, free_at) VALUES (?, 'old', '', 1, 2)"
    execute(database, insert, [(code,) for code in POOL])
    free = 0
    random = Random(5)
    for _ in range(3):
        wanted = free + random.randrange(1, 2_000)
        with process_of(deployment, "-m", "saver.worker"):
            wait_for_free_codes(database, wanted)
        found = snapshot(database)
        assert found.misplaced(POOL) == {}
        assert found.leased, "it was killed too late to test anything"
        free = len(found.free)
    with process_of(deployment, "-m", "saver.worker"):
        wait_until(lambda: not snapshot(database).leased, "the sweep does not end", TIMEOUT)
    assert sorted(snapshot(database).free) == sorted(POOL)
