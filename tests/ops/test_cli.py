"""The operator's commands."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import URL, make_url

from saver.app import Services, database_url
from saver.codes import SPACE
from saver.store import NoTextError, TextStore
from tests.conftest import ALL_DATABASES, Clock
from tests.support.server import ROOT
from tests.support.snapshot import Database, execute, put_codes
from tests.support.texts import save

DATABASES = ALL_DATABASES


def name_for_people(address: str | URL) -> str:
    url = make_url(address)
    return str(url.database) if url.host is None else f"{url.database} on {url.host}"


def test_fill_adds_every_code_that_is_nowhere(
    run: FlaskCliRunner, store: TextStore, database: Database, codes: list[str]
) -> None:
    lease = save(store, "kept", 600)
    filled = run.invoke(args=["pool", "fill"])
    assert filled.stdout == f"{SPACE - len(codes):,} codes added\n"
    assert run.invoke(args=["pool", "fill"]).stdout == "0 codes added\n"
    execute(database, "DELETE FROM code WHERE code = (SELECT max(code) FROM code)")
    assert run.invoke(args=["pool", "fill"]).stdout == "1 codes added\n"
    assert store.load(lease.code).text == "kept"
    audit = store.audit()
    assert (audit.free, audit.live, audit.duplicated, audit.missing, audit.is_consistent) == (
        SPACE - 1,
        1,
        0,
        0,
        True,
    )


def test_audit_fails_on_a_code_that_is_missing_or_twice(
    run: FlaskCliRunner, store: TextStore, database: Database, codes: list[str]
) -> None:
    missing = run.invoke(args=["pool", "audit"])
    assert missing.exit_code == 1
    assert f"missing {SPACE - len(codes):,}" in missing.stdout
    code = save(store, "x", 60).code
    put_codes(database, [code])
    assert "twice   1" in run.invoke(args=["pool", "audit"]).stdout


def test_count_prints_the_codes_of_each_state(run: FlaskCliRunner, store: TextStore, clock: Clock) -> None:
    save(store, "short", 60)
    save(store, "long", 600)
    clock.tick(60)
    assert run.invoke(args=["pool", "count"]).stdout == "free    2\nlive    1\noverdue 1\nresting 0\n"
    store.sweep(10)
    assert "overdue 0\nresting 1" in run.invoke(args=["pool", "count"]).stdout


def test_sweep_does_all_there_is_to_do(run: FlaskCliRunner, store: TextStore, clock: Clock) -> None:
    save(store, "x", 60)
    clock.tick(60 + 86_400)
    assert run.invoke(args=["sweep"]).stdout == "1 wiped, 1 given back\n"
    assert run.invoke(args=["sweep"]).stdout == "0 wiped, 0 given back\n"


def test_remove_ends_a_text_and_keeps_the_reason_without_the_code(
    run: FlaskCliRunner, services: Services, store: TextStore
) -> None:
    code = save(store, "x", 600).code
    removed = run.invoke(args=["remove", code, "--reason", "abuse\nreport 7"])
    assert (removed.exit_code, removed.stdout) == (0, "removed\n")
    with pytest.raises(NoTextError):
        store.load(code)
    assert run.invoke(args=["remove", code, "--reason", "again"]).exit_code == 1
    log = services.settings.data_dir / "operator.log"
    assert log.read_text() == (
        "2027-01-15T08:00:00Z 1 text removed by the operator: 'abuse\\nreport 7'\n"
        "2027-01-15T08:00:00Z no text removed by the operator: 'again'\n"
    )
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_text_is_removed_also_where_the_reason_cannot_be_kept(
    run: FlaskCliRunner, services: Services, store: TextStore
) -> None:
    code = save(store, "x", 600).code
    (services.settings.data_dir / "operator.log").mkdir()
    removed = run.invoke(args=["remove", code, "--reason", "report"])
    assert removed.exit_code == 1
    assert removed.output.splitlines() == [
        "removed",
        "Error: operator.log cannot be written: Is a directory",
    ]
    with pytest.raises(NoTextError):
        store.load(code)


def test_the_reason_must_not_name_the_code(run: FlaskCliRunner, store: TextStore) -> None:
    code = save(store, "x", 600).code
    refused = run.invoke(args=["remove", code, "--reason", f"malware in {code}, see report 7"])
    assert (refused.exit_code, "must not name the code" in refused.output) == (2, True)
    assert store.load(code).text == "x"


def test_remove_spares_a_text_that_was_saved_after_the_report(run: FlaskCliRunner, store: TextStore) -> None:
    code = save(store, "x", 600).code  # Saved at 2027-01-15T08:00:00Z.
    before = run.invoke(args=["remove", code, "--reason", "report", "--at", "2027-01-15T07:59Z"])
    assert (before.exit_code, store.load(code).text) == (1, "x")
    assert (
        run.invoke(args=["remove", code, "--reason", "report", "--at", "2027-01-15T08:00:00Z"]).exit_code == 0
    )


@pytest.mark.parametrize(
    "arguments", [["remove", "abc", "--reason", "x"], ["remove", "aaaa"], ["pool", "drain"]]
)
def test_wrong_use_is_reported(run: FlaskCliRunner, arguments: list[str]) -> None:
    result = run.invoke(args=arguments)
    assert result.exit_code == 2
    assert "Usage" in result.output


def test_a_database_without_tables_is_reported(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    app = make_app("empty")
    with app.app_context():
        app.extensions["saver"].store.database.create_file()
    result = app.test_cli_runner().invoke(args=["pool", "count"])
    assert result.exit_code == 1
    database = database_url(app.extensions["saver"].settings)
    assert f"the database {name_for_people(database)} is not set up for this version" in result.output


@pytest.mark.databases("sqlite")
def test_a_missing_database_is_reported(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    result = make_app("nothing").test_cli_runner().invoke(args=["pool", "count"])
    assert result.exit_code == 1
    assert f"there is no database {tmp_path}/nothing/saver.db: flask --app saver db upgrade" in result.output


def test_the_help_names_no_command_for_counts_that_saver_does_not_use(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "saver", "--help"]
    environ = {**os.environ, "SAVER_DATA_DIR": str(tmp_path), "SAVER_ENV_FILE": ""}
    listed = subprocess.run(command, env=environ, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "Commands:" in listed
    assert "copy-to-server" in listed
    assert "limiter" not in listed
