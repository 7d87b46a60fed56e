"""`flask --app saver backup`: a complete copy or none, even while others write."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sized
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from saver.app import Services
from saver.codes import Code
from saver.store import TextStore
from tests.conftest import NO_LIMITS, Clock
from tests.support.process import wait_until
from tests.support.server import environment
from tests.support.snapshot import put_codes, query, snapshot
from tests.support.texts import save, stored_body, stored_texts

POOL = [Code.nth(number * 365) for number in range(20_000)]
# Leases, deletes and sweeps without a pause, and prints each pair of codes after it is stored.
WRITER = """\
import json, sys
from saver import create_app
from tests.support.texts import save
store = create_app().extensions["saver"].store
while True:
    stored = save(store, "k" * 200, 3600)
    gone = save(store, "g" * 200, 3600)
    store.delete(gone.code, gone.owner_token)
    store.sweep(50)
    print(json.dumps([stored.code, gone.code]), flush=True)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_says_where_the_copy_is_and_what_is_in_it(
    run: FlaskCliRunner, store: TextStore, backups: Path
) -> None:
    code = save(store, "kept", 600).code
    result = run.invoke(args=["backup", "--to", str(backups)])
    assert result.exit_code == 0
    path = backups / "saver-20270115T080000Z.db"
    assert result.stdout.splitlines()[:4] == [
        str(path),
        f"bytes   {path.stat().st_size:,}",
        "dropped 0",
        "free    3",
    ]
    assert code not in result.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stored_texts(store, path) == [(code, "kept")]
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_what_was_wiped_is_not_in_the_copy(
    run: FlaskCliRunner, store: TextStore, database: Path, backups: Path, clock: Clock
) -> None:
    body = stored_body(database, save(store, "text" * 8_000, 60).code)
    assert run.invoke(args=["backup", "--to", str(backups)]).exit_code == 0
    clock.tick(60)
    store.sweep(10)
    assert run.invoke(args=["backup", "--to", str(backups)]).exit_code == 0
    before, after = sorted(backups.iterdir())
    assert body in before.read_bytes()
    assert body not in after.read_bytes()


def test_the_newest_are_kept_and_nothing_else_is_touched(
    run: FlaskCliRunner, backups: Path, clock: Clock
) -> None:
    (backups / "saver-notes.db").write_text("mine")
    (backups / ".saver-dead.partial").write_text("left by a kill")
    for _ in range(4):
        assert run.invoke(args=["backup", "--to", str(backups), "--keep", "2"]).exit_code == 0
        clock.tick(3_600)
    assert names(backups) == ["saver-20270115T100000Z.db", "saver-20270115T110000Z.db", "saver-notes.db"]


def test_a_second_one_in_the_same_second_does_not_replace_the_first(
    run: FlaskCliRunner, store: TextStore, backups: Path
) -> None:
    run.invoke(args=["backup", "--to", str(backups)])
    save(store, "later", 600)
    result = run.invoke(args=["backup", "--to", str(backups)])
    assert (result.exit_code, "is there already" in result.output) == (1, True)
    [copy] = backups.iterdir()
    assert query(copy, "SELECT count(*) FROM text") == [(0,)]


def test_a_missing_folder_is_reported(run: FlaskCliRunner, tmp_path: Path) -> None:
    result = run.invoke(args=["backup", "--to", str(tmp_path / "nowhere")])
    assert (result.exit_code, result.output) == (1, f"Error: there is no folder {tmp_path / 'nowhere'}\n")


def test_a_disk_that_is_full_leaves_nothing_half_made(services: Services, backups: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "saver", "backup", "--to", str(backups)]
    result = subprocess.run(
        command,
        env=environment(services.settings.data_dir, NO_LIMITS),
        capture_output=True,
        text=True,
        # A limit for the size of files, as on a full disk.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    assert "Error: the copy could not be written" in result.stderr
    assert names(backups) == []


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("INSERT INTO code SELECT code FROM text", "1 codes in two places"),
        ("DELETE FROM code WHERE code = 'wUrp'", None),
    ],
)
def test_a_copy_that_breaks_a_rule_gets_no_name(
    run: FlaskCliRunner, services: Services, store: TextStore, backups: Path, harm: str, sentence: str | None
) -> None:
    save(store, "x", 600)
    with closing(sqlite3.connect(services.settings.data_dir / "saver.db")) as database, database:
        database.execute(harm)
    result = run.invoke(args=["backup", "--to", str(backups)])
    # A copy may have too few free codes: that is not an error of the copy.
    assert result.exit_code == (1 if sentence else 0)
    assert (sentence or "") in result.output
    assert len(names(backups)) == (0 if sentence else 1)


def wait_for_more_than(acknowledged: Sized, count: int) -> None:
    wait_until(lambda: len(acknowledged) > count, "nothing is written")


def test_backups_under_load_are_whole(make_app: Callable[..., Flask], migrated: Path, tmp_path: Path) -> None:
    data, backups = tmp_path / "busy", tmp_path / "backups"
    for path in (data, backups):
        path.mkdir()
    shutil.copy(migrated, data / "saver.db")
    put_codes(data / "saver.db", list(POOL))
    environ = environment(data, {**NO_LIMITS, "code_cooldown": 0})
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER], env=environ, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    acknowledged: list[tuple[str, str]] = []

    def listen(writer: subprocess.Popen[str]) -> None:
        assert writer.stdout
        for line in writer.stdout:
            acknowledged.append(tuple(json.loads(line)))

    listeners = [threading.Thread(target=listen, args=(writer,), daemon=True) for writer in writers]
    clock = Clock()
    tools = make_app("busy").extensions["saver"].tools
    tools.backup._clock = clock
    try:
        for listener in listeners:
            listener.start()
        for number in range(5):
            wait_for_more_than(acknowledged, 40 * (number + 1))
            before = list(acknowledged)
            made = tools.backup.make(backups, 10)
            clock.tick(1)
            copied = snapshot(made.path)
            assert copied.misplaced(POOL) == {}
            # It contains every text that was acknowledged before it began.
            assert {stored for stored, _ in before} <= set(copied.leased)
        assert len(acknowledged) > len(before), "the writers were stopped by the backup"
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
        for listener in listeners:
            listener.join(30)
    assert [found for path in backups.iterdir() for found in query(path, "PRAGMA integrity_check")] == [
        ("ok",)
    ] * 5
    assert not list(backups.glob(".*"))
    tools.restore._clock = time.time
    tools.restore.restore(made.path)
    found = snapshot(data / "saver.db")
    assert found.misplaced(POOL) == {}
    # Nobody else gets a code that was leased before or after the backup.
    assert {stored for stored, _ in acknowledged} <= set(found.leased)
