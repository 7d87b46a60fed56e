"""A service moves while people write and load: what they are told, and for how long writes are refused.

At full size:
MOVE_CODES=7311616 MOVE_TEXTS=50000 ./scripts/test tests/databases/test_move_live.py --log-cli-level=INFO
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path
from random import Random

import pytest

from saver.codes import SPACE, Code
from tests.conftest import NO_LIMITS
from tests.support.moving import left_in
from tests.support.postgres import Cluster
from tests.support.races import PATIENCE, at_work
from tests.support.server import ROOT, Server, environment, wait_until
from tests.support.snapshot import ask, put_codes, snapshot, tell

_log = logging.getLogger(__name__)

CODES = int(os.environ.get("MOVE_CODES", "20000"))
TEXTS = int(os.environ.get("MOVE_TEXTS", "500"))
WRITERS = 4
SHORT, LONG = 1, 3_600
SETTINGS = {**NO_LIMITS, "min_expires_in": 1, "code_cooldown": 1, "sweep_interval": 1}
SECRET = "Pfeffernuss"


class People:
    """Write and load until they are stopped; note what was acknowledged and what was refused."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._stop = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.wrong: list[str] = []
        self.answers: Counter[str] = Counter()
        # When the last write was kept, and the longest time without one.
        self.kept_at = time.monotonic()
        self.longest = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[People]:
        """Until the block ends."""
        works = [partial(self._go_on, Random(seed)) for seed in range(WRITERS)]
        with at_work(works, self._stop, 20 * PATIENCE):
            yield self

    def _go_on(self, random: Random) -> None:
        while not self._stop.is_set():
            try:
                self._write(random)
                self._load(random)
            except (OSError, HTTPException):
                self.answers["no answer"] += 1
            self._stop.wait(0.02)

    def _write(self, random: Random) -> None:
        life = random.choice([SHORT, LONG])
        body = f"{random.getrandbits(128):x}" * random.choice([1, 30])
        status, written = self.server.post("/api/v1/write", {"text": body, "expires_in": life})
        self.answers[f"write {status}"] += 1
        if status == 201:
            self._note(str(written["code"]), body, life)
        elif status != 503:
            self.wrong.append(f"write {status}")

    def _note(self, code: str, body: str, life: int) -> None:
        with self._lock:
            if life == LONG:
                self.acknowledged[code] = body
            now = time.monotonic()
            self.longest = max(self.longest, now - self.kept_at)
            self.kept_at = now

    def _load(self, random: Random) -> None:
        with self._lock:
            known = list(self.acknowledged.items())
        if not known:
            return
        code, body = random.choice(known)
        status, loaded = self.server.post("/api/v1/load", {"code": code})
        self.answers[f"load {status}"] += 1
        if status != 503 and loaded.get("text") != body:
            self.wrong.append(f"load {status}")


@contextmanager
def working(folder: Path, settings: Mapping[str, object]) -> Iterator[None]:
    """The worker."""
    with (folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "saver.worker"],
            cwd=ROOT,
            env=environment(folder, settings),
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        worker.terminate()
        status = worker.wait(PATIENCE)
    assert status == 0


def flask(folder: Path, *arguments: str, given: str = "") -> str:
    """Run a command of the operator's; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "saver", *arguments],
        cwd=ROOT,
        env=environment(folder, SETTINGS),
        input=given,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


def filled(folder: Path) -> list[str]:
    """A database with so many codes and texts of 1 KB; the codes."""
    database = folder / "saver.db"
    codes = [Code.nth(number * (SPACE // CODES)) for number in range(CODES)]
    put_codes(database, codes)
    until = int(time.time()) + LONG
    tell(
        database,
        "INSERT INTO text (code, body, size, owner_hash, expires_at, free_at)"
        f" SELECT code, hex(randomblob(512)), 1024, randomblob(32), {until}, {until + 1}"
        f" FROM code ORDER BY random() LIMIT {TEXTS}",
    )
    tell(database, "DELETE FROM code WHERE code IN (SELECT code FROM text)")
    return [str(code) for code in codes]


@pytest.mark.parametrize("how", ["restarted", "beside"])
def test_nothing_acknowledged_is_lost(how: str, tmp_path: Path, migrated: Path, cluster: Cluster) -> None:
    """The service is started anew on the new database, or it waits for it beside the old one."""
    shutil.copy(migrated, tmp_path / "saver.db")
    codes, target = filled(tmp_path), cluster.make()
    address = target.address.replace("saver@", f"saver:{SECRET}@")
    old = Server(tmp_path, SETTINGS)
    new = Server(tmp_path, {**SETTINGS, "database_url": target.address})
    with new, old:
        with People(old).at_work() as people:
            if how == "restarted":
                new.stop()
            with working(tmp_path, SETTINGS):
                wait_until(lambda: len(people.acknowledged) > 20, "nobody can write")
                people.longest = 0.0
                said = flask(tmp_path, "move", "--to", "-", given=f"{address}\n")
            kept = len(people.acknowledged)
            wait_until(lambda: people.answers["write 503"] > 0, "the old service takes writes")
            if how == "restarted":
                old.stop()
                new.start()
            # As a proxy in front of both does.
            people.server = new
            with working(tmp_path, new.settings):
                wait_until(lambda: len(people.acknowledged) > kept + 20, "nobody can write to the new one")
                wait_until(lambda: new.get("/readyz")[0] == 200, "nobody sweeps the new one")
        found = {
            code: new.post("/api/v1/load", {"code": code})[1].get("text") for code in people.acknowledged
        }
    assert people.wrong == []
    assert len(people.acknowledged) > 40
    assert found == people.acknowledged
    assert snapshot(target).misplaced(codes) == {}
    assert ask(target, "SELECT count(*) FROM text WHERE size = 1024")[0][0] >= TEXTS
    logs = (tmp_path / "server.log").read_text() + (tmp_path / "worker.log").read_text()
    assert SECRET not in logs
    assert "Traceback" not in logs
    assert "frozen_code_insert" in left_in(tmp_path / "saver.db")
    _log.info("%s\nlongest without a write: %.2f s\n%s", said, people.longest, dict(people.answers))
    cluster.drop(target)
