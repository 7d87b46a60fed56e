"""`flask --app saver backup` with PostgreSQL."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from saver.app import Services
from saver.store import NoTextError, TextStore
from tests.conftest import Clock
from tests.databases.test_restored import closed, tool
from tests.ops.test_backup import names
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import snapshot
from tests.support.texts import save

DATABASES = ("postgresql",)
DAY = 86_400


def test_the_dump_has_everything_and_can_be_restored(
    make_app: Callable[..., Flask], database: PostgresDatabase, backups: Path, codes: list[str]
) -> None:
    app = make_app()
    services: Services = app.extensions["saver"]
    stored = save(services.store, "kept", DAY)
    made = app.test_cli_runner().invoke(args=["backup", "--to", str(backups)])
    assert made.exit_code == 0, made.output
    path = backups / "saver-20270115T080000Z.dump"
    size = f"bytes   {path.stat().st_size:,}"
    assert made.stdout.splitlines()[:4] == [str(path), size, "dropped 0", "free    3"]
    assert stored.code not in made.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    since = save(services.store, "since", DAY)
    closed(app)
    tool("pg_restore", database, "--clean", "--if-exists", str(path))
    again = make_app()
    assert again.test_cli_runner().invoke(args=["restored"]).exit_code == 0
    store: TextStore = again.extensions["saver"].store
    assert store.load(stored.code).text == "kept"
    with pytest.raises(NoTextError):
        store.load(since.code)
    assert snapshot(database).misplaced(codes) == {}


def test_the_newest_are_kept_of_both_kinds(run: FlaskCliRunner, backups: Path, clock: Clock) -> None:
    (backups / "saver-20270114T080000Z.db").write_text("from before the move")
    (backups / "notes.dump").write_text("mine")
    (backups / ".saver-dead.partial").write_text("left by a kill")
    for _ in range(3):
        assert run.invoke(args=["backup", "--to", str(backups), "--keep", "2"]).exit_code == 0
        clock.tick(3_600)
    assert names(backups) == ["notes.dump", "saver-20270115T090000Z.dump", "saver-20270115T100000Z.dump"]


def test_a_pg_dump_that_is_too_old_is_named_with_the_one_to_install(
    run: FlaskCliRunner, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, 'echo "pg_dump (PostgreSQL) 9.6.24 (Debian 9.6.24-1)"', monkeypatch)
    refused = run.invoke(args=["backup", "--to", str(backups)])
    assert refused.exit_code == 1
    said = r"Error: nothing was kept: pg_dump 9 is older than the server, which is (\d+): .*client-(\d+)\n"
    found = re.fullmatch(said, refused.output)
    assert found, refused.output
    assert found[1] == found[2]
    assert names(backups) == []


def programs(backups: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace PostgreSQL's programs by a script."""
    for name in ("pg_dump", "pg_restore"):
        path = backups / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{backups / 'bin'}:/usr/bin:/bin")


def test_a_failure_is_a_sentence_and_leaves_nothing(
    run: FlaskCliRunner, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(
        tmp_path,
        'echo "pg_dump: error: aborting because of server version mismatch" >&2; exit 1',
        monkeypatch,
    )
    refused = run.invoke(args=["backup", "--to", str(backups)])
    assert (refused.exit_code, refused.output) == (
        1, "Error: nothing was kept: pg_dump: error: aborting because of server version mismatch\n"
    )  # fmt: skip
    monkeypatch.setenv("PATH", "/nowhere")
    refused = run.invoke(args=["backup", "--to", str(backups)])
    assert "there is no pg_dump: apt-get install" in refused.output
    assert names(backups) == []


def test_the_password_is_in_no_command_line(
    database: PostgresDatabase,
    make_app: Callable[..., Flask],
    backups: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs(tmp_path, f'env > {tmp_path}/environ; echo "$@" >> {tmp_path}/words', monkeypatch)
    monkeypatch.setenv("SAVER_SECRET_KEY", "CANARY" * 10)
    address = database.address.replace("saver@", "saver:CANARY@")
    made = make_app(database_url=address).test_cli_runner().invoke(args=["backup", "--to", str(backups)])
    assert made.exit_code == 0, made.output
    assert "CANARY" not in (tmp_path / "words").read_text() + made.output
    environ = dict(line.split("=", 1) for line in (tmp_path / "environ").read_text().splitlines())
    where = {"PGPASSWORD": "CANARY", "PGPORT": str(database.port), "PGDATABASE": database.name}
    assert environ.items() >= where.items()
    assert "SAVER_SECRET_KEY" not in environ
