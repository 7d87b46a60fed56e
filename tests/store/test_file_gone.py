"""The database's file is deleted or replaced while the service runs: writes are refused, not lost."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Connection

from saver import create_app
from saver.app import Services
from saver.database import StorageError, run_read
from saver.store import TextStore
from saver.store.quota import Quotas
from tests.conftest import settings_in
from tests.support.snapshot import query, snapshot
from tests.support.texts import save


def delete(folder: Path, *endings: str) -> None:
    for ending in endings:
        (folder / f"saver.db{ending}").unlink()


@pytest.mark.parametrize("endings", [("",), ("", "-wal", "-shm"), ("-wal",), ("-shm",)], ids=str)
def test_what_is_deleted_is_not_written_to(
    client: FlaskClient, services: Services, endings: tuple[str, ...]
) -> None:
    written = client.post("/api/v1/write", json={"text": "before"}).json
    delete(services.settings.data_dir, *endings)
    answer = client.post("/api/v1/write", json={"text": "after"})
    if "" in endings:
        assert (answer.status_code, answer.json["type"]) == (503, "urn:saver:problem:storage")
        assert client.post("/api/v1/load", json={"code": written["code"]}).status_code == 503
        state = client.get("/readyz")
        assert (state.status_code, state.json["database"]) == (503, "failing")
        # No new file is made: an empty database would lease codes again.
        assert not (services.settings.data_dir / "saver.db").exists()
    else:
        # The service writes to the file that another process would open now.
        assert answer.status_code == 201
        assert answer.json["code"] in snapshot(services.settings.data_dir / "saver.db").leased


@pytest.mark.parametrize("reserve", [0, 1 << 60])
def test_a_folder_that_is_gone_is_no_fault(make_app: Callable[..., Flask], reserve: int) -> None:
    app = make_app(disk_reserve=reserve)
    client, place = app.test_client(), app.extensions["saver"].settings.data_dir
    client.post("/api/v1/write", json={"text": "x"})
    place.rename(place.with_name("elsewhere"))
    assert client.post("/api/v1/write", json={"text": "x"}).status_code == 503
    assert [client.get(path).status_code for path in ("/readyz", "/metrics", "/healthz")] == [503, 503, 200]


def test_what_is_deleted_while_it_is_written_to_is_no_fault(make_app: Callable[..., Flask]) -> None:
    app = make_app(disk_reserve=1)
    services: Services = app.extensions["saver"]
    with app.extensions["saver"].store.database.engine.connect() as connection:
        place = services.settings.data_dir
        place.rename(place.with_name("elsewhere"))
        with pytest.raises(StorageError):
            Quotas(services.store.database, services.store.disk, time.time).check(connection, None, 1, 0)


def test_what_is_deleted_before_the_commit_is_not_acknowledged(store: TextStore, services: Services) -> None:
    place = services.settings.data_dir

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM code WHERE code = 'wUrp'")
        delete(place, "")

    with pytest.raises(StorageError, match="FileGoneError"):
        store.database.writer.run(work)


def test_another_database_in_its_place_is_used(
    client: FlaskClient, services: Services, migrated: Path, codes: list[str]
) -> None:
    client.post("/api/v1/write", json={"text": "before"})
    delete(services.settings.data_dir, "", "-wal", "-shm")
    shutil.copy(migrated, services.settings.data_dir / "saver.db")
    answer = client.post("/api/v1/write", json={"text": "after"})
    assert answer.json["type"] == "urn:saver:problem:pool-empty"
    assert snapshot(services.settings.data_dir / "saver.db").leased == []


def test_check_says_it_and_makes_nothing(app: Flask, services: Services) -> None:
    delete(services.settings.data_dir, "")
    result = app.test_cli_runner().invoke(args=["check"])
    assert result.exit_code == 1
    assert re.search(
        r"^database FAILING .*there is no file .*saver.db \(FileGoneError\)$", result.stdout, re.M
    )
    assert not (services.settings.data_dir / "saver.db").exists()


@pytest.mark.parametrize("name", ["what?1", "%41", "a b#c;d", "file:x", "한글"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    app = create_app(settings_in(folder))
    with app.app_context():
        upgrade()
        app.extensions["sqlalchemy"].engine.dispose()
    assert (folder / "saver.db").stat().st_size > 10_000
    (folder / "kept").mkdir()
    made = app.extensions["saver"].tools.backup.make(folder / "kept", 1)
    assert query(made.path, "SELECT count(*) FROM text") == [(0,)]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [name]


def test_other_users_may_never_read_a_file(tmp_path: Path, make_app: Callable[..., Flask]) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "bare").mkdir()
        app = make_app("bare")
        with app.app_context():
            upgrade()
        services: Services = app.extensions["saver"]
        app.test_client().post("/api/v1/load", json={"code": "aaaa"})
        services.readiness.record_heartbeat()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode) for path in services.settings.data_dir.iterdir()
        }
    finally:
        os.umask(before)
    private = {"", "-wal", "-shm", "-gate", "-next"}
    assert {f"saver.db{ending}" for ending in private} | {"secret_key", "receipts.db"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077 and name != "counts"} == {}


def test_an_open_file_costs_a_look_up_nothing_else(store: TextStore, services: Services) -> None:
    # The pool keeps its connections as long as the file is the same.
    seen = []
    for _ in range(3):
        run_read(store.database, lambda connection: seen.append(id(connection.connection.driver_connection)))
    assert len(set(seen)) == 1
    save(services.store, "x", 60)
