"""The output of `flask --app saver check` and `restore`."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from saver.app import Services
from saver.codes import SPACE, Code
from saver.store import TextStore
from tests.conftest import Clock
from tests.support.texts import save


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with all free codes."""
    database = tmp_path_factory.mktemp("filled") / "saver.db"
    shutil.copy(migrated, database)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    one = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 52), l(c) AS"
    one += f" (SELECT substr('{letters}', i, 1) FROM n)"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"{one} INSERT INTO code SELECT a.c || b.c || c.c || d.c FROM l a, l b, l c, l d ORDER BY 1"
        )
    return database


@pytest.fixture
def full(make_app: Callable[..., Flask], filled: Path, tmp_path: Path) -> Flask:
    (tmp_path / "full").mkdir()
    shutil.copy(filled, tmp_path / "full" / "saver.db")
    return make_app("full")


@pytest.fixture
def codes() -> list[str]:
    """Free codes that fill some pages of the file."""
    return [Code.nth(number) for number in range(6_561)]


@pytest.fixture
def app(make_app: Callable[..., Flask], codes: list[str]) -> Flask:
    return make_app(pool_size=len(codes))


def lines(output: str) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in output.splitlines()}


def test_all_is_well(run: FlaskCliRunner, app: Flask, codes: list[str]) -> None:
    services: Services = app.extensions["saver"]
    code = save(services.store, "x", 600).code
    services.readiness.record_heartbeat()
    result = run.invoke(args=["check"])
    assert lines(result.stdout) == dict.fromkeys(
        ["database", "schema", "codes", "keys", "worker", "disk", "counts", "files"], "ok"
    )
    assert f"{len(codes) - 1:,} of {len(codes):,} free, 1 texts live, 0 resting" in result.stdout
    assert not re.search(rf"\\b{code}\\b", result.stdout)
    assert result.exit_code == 0


def test_a_worker_that_does_not_sweep_is_reported(run: FlaskCliRunner, app: Flask, clock: Clock) -> None:
    assert "it never swept" in run.invoke(args=["check"]).stdout
    app.extensions["saver"].readiness.record_heartbeat()
    clock.tick(61)
    result = run.invoke(args=["check"])
    assert (result.exit_code, lines(result.stdout)["worker"]) == (1, "FAILING")
    assert "the last sweep ended 61 s ago" in result.stdout


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        ("DELETE FROM code WHERE code = 'aaaa'", "codes"),
        ("INSERT INTO text (code, owner_hash, expires_at, free_at) VALUES ('aaaa', x'00', 1, 2)", "codes"),
        ("DELETE FROM code WHERE code > 'a'", "codes"),
        ("UPDATE alembic_version SET version_num = '0001'", "schema"),
    ],
)
def test_each_error_is_reported(run: FlaskCliRunner, app: Flask, harm: str, name: str) -> None:
    services: Services = app.extensions["saver"]
    services.readiness.record_heartbeat()
    with closing(sqlite3.connect(services.settings.data_dir / "saver.db")) as database, database:
        database.execute(harm)
    result = run.invoke(args=["check"])
    assert [key for key, state in lines(result.stdout).items() if state == "FAILING"] == [name]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda folder: folder.chmod(0o777), "everybody may write to "),
        (lambda folder: (folder / "saver.db").chmod(0o644), "everybody may read saver.db"),
        (lambda folder: (folder / "secret_key").chmod(0o666), "everybody may write to secret_key"),
        (lambda folder: (folder / "secret_key.old").touch(0o644), "everybody may read secret_key.old"),
        pytest.param(
            *(lambda folder: os.chown(folder, 65_534, -1), "belongs to another user"),
            marks=pytest.mark.system,
        ),
        (lambda folder: linked(folder / "counts"), "counts is a symbolic link"),
    ],
)
def test_files_that_others_may_change_are_reported(
    run: FlaskCliRunner, app: Flask, harm: Callable[[Path], None], line: str
) -> None:
    if "another user" in line and os.geteuid():
        pytest.fail(
            "only root gives a folder away: sudo ./scripts/test tests/ops/test_check.py", pytrace=False
        )
    services: Services = app.extensions["saver"]
    services.readiness.record_heartbeat()
    harm(services.settings.data_dir)
    result = run.invoke(args=["check"])
    # Counts in the file of another folder would not be used.
    failing = ["counts", "files"] if line.startswith("counts") else ["files"]
    assert [key for key, state in lines(result.stdout).items() if state == "FAILING"] == failing
    assert line in result.stdout


def linked(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.with_name("elsewhere"))


def test_too_few_free_codes_are_reported(
    run: FlaskCliRunner, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    services: Services = app.extensions["saver"]
    services.readiness.record_heartbeat()
    # Millions of texts would take long, so the test lowers the limit.
    monkeypatch.setattr("saver.ops.check.LOW_POOL", 1.0)
    assert lines(run.invoke(args=["check"]).stdout)["codes"] == "ok"
    save(services.store, "x", 60)
    result = run.invoke(args=["check"])
    assert (result.exit_code, lines(result.stdout)["codes"]) == (1, "FAILING")


def test_a_damaged_file_is_reported(run: FlaskCliRunner, app: Flask) -> None:
    path = app.extensions["saver"].settings.data_dir / "saver.db"
    with path.open("r+b") as file:
        file.seek(20 * 4_096)
        file.write(b"damage" * 2_000)
    result = run.invoke(args=["check"])
    assert (result.exit_code, lines(result.stdout)["database"]) == (1, "FAILING")


@pytest.fixture
def stopped(run: FlaskCliRunner, app: Flask, tmp_path: Path) -> Path:
    """A backup, and a service that stopped after it saved one more text."""
    store: TextStore = app.extensions["saver"].store
    (tmp_path / "backups").mkdir()
    assert run.invoke(args=["backup", "--to", str(tmp_path / "backups")]).exit_code == 0
    save(store, "since", 600)
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    [path] = (tmp_path / "backups").iterdir()
    return path


def test_restore_says_what_it_did(run: FlaskCliRunner, app: Flask, codes: list[str], stopped: Path) -> None:
    result = run.invoke(args=["restore", str(stopped)])
    place = app.extensions["saver"].settings.data_dir / "saver.db"
    assert result.stdout.splitlines() == [
        f"the database so far is kept: {place}.replaced-20270115T080000Z",
        "1 codes leased since the backup rest",
        f"free    {len(codes) - 1:,}",
        "live    0",
        "overdue 0",
        "resting 1",
    ]


@pytest.mark.slow
class TestEveryCode:
    """The output about all 7,311,616 codes."""

    @pytest.fixture
    def app(self, full: Flask) -> Flask:
        return full

    def test_all_is_well(self, run: FlaskCliRunner, app: Flask) -> None:
        services: Services = app.extensions["saver"]
        save(services.store, "x", 600)
        services.readiness.record_heartbeat()
        result = run.invoke(args=["check"])
        assert f"{SPACE - 1:,} of {SPACE:,} free, 1 texts live, 0 resting" in result.stdout
        assert result.exit_code == 0

    def test_restore_without_its_past(self, run: FlaskCliRunner, app: Flask, stopped: Path) -> None:
        (app.extensions["saver"].settings.data_dir / "saver.db").unlink()
        refused = run.invoke(args=["restore", str(stopped)])
        assert (refused.exit_code, "With --lost" in refused.output) == (1, True)
        result = run.invoke(args=["restore", str(stopped), "--lost"])
        assert result.stdout.splitlines() == [
            "no code is leased before 2027-02-15T08:00:00Z",
            "free    0",
            "live    0",
            "overdue 0",
            f"resting {SPACE:,}",
        ]


def test_how_long_codes_rest_is_asked_only_where_it_matters(run: FlaskCliRunner, stopped: Path) -> None:
    result = run.invoke(args=["restore", str(stopped), "--codes-rest", "60"])
    assert (result.exit_code, "--codes-rest needs --lost" in result.output) == (2, True)
