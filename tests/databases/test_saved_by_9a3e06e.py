"""What users have saved with version 9a3e06e (schema 0003) is there after the migrations.

The folder next to this file has the database, receipts and secret key that the program of 9a3e06e left, with
five free codes, and what its users know: ``python3 tests/system/upgrades/users.py save`` wrote it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from tests.conftest import ALL_DATABASES, Clock
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import Database
from tests.system.upgrades.users import HOUR, Users

DATABASES = ALL_DATABASES
SAVED = Path(__file__).with_name("saved_by_9a3e06e")


@pytest.fixture
def codes() -> list[str]:
    return []


@pytest.fixture
def files(database_kind: str) -> Path:
    return SAVED / database_kind


@pytest.fixture
def database(make_database: Callable[[str], Database], files: Path, tmp_path: Path) -> Database:
    """The database as it was, in a data directory as it was."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "secret_key").touch(0o600)
    (data / "secret_key").write_bytes((files / "secret_key").read_bytes())
    run_in_file(data / "receipts.db", files / "receipts.sql")
    made = make_database("data")
    if isinstance(made, PostgresDatabase):
        with made.connect() as connection:
            connection.execute((files / "database.sql").read_bytes())
    else:
        run_in_file(made, files / "database.sql")
    return made


def run_in_file(database: Path, script: Path) -> None:
    # Not as text: a line of it may end with CR LF.
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(script.read_bytes().decode())


@pytest.fixture
def users(database: Database, make_app: Callable[..., Flask], files: Path, clock: Clock) -> Users:
    """Its users, a minute after they had saved their texts, and after the migrations."""
    assert database
    saved = json.loads((files / "saved.json").read_text())
    clock.now = datetime.fromisoformat(saved["open"]["answer"]["expires_at"]).timestamp() - HOUR + 60
    app = make_app()
    with app.app_context():
        upgrade()
    client = app.test_client()

    def ask(path: str, document: object, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        answer = client.post(
            path, data=json.dumps(document), headers={"Content-Type": "application/json", **headers}
        )
        return answer.status_code, answer.get_json(silent=True) or {}

    return Users(ask, saved, clock)


def test_texts_passwords_owners_and_receipts_survive_the_upgrade(users: Users, clock: Clock) -> None:
    users.finish()
    clock.tick(HOUR)
    assert users.load("open") is None
