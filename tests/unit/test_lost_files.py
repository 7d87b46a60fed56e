"""A connection notices by the folder of its database that a file of it was deleted or replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from saver.database import sqlite_connections
from saver.database.sqlite_connections import FileConnection


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "saver.db"


@pytest.fixture
def connection(database: Path) -> Iterator[FileConnection]:
    made = FileConnection(database)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE text (code)")
    made.commit()
    made.note_files(str(database))
    yield made
    made.close()


def _check_for_long(connection: FileConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look until the folder alone is asked."""
    monkeypatch.setattr(sqlite_connections, "_CLOCK_TICK", 0.0)
    for _ in range(3):
        assert not connection.is_lost_by_folder()
    assert connection._is_checked


def _replace(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    other.replace(path)


def _remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def _restore_folder_with_times(path: Path) -> None:
    """Replace the file as ``rsync --archive`` does, which sets the folder's time of modification back."""
    before = path.parent.stat()
    _replace(path)
    os.utime(path.parent, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
@pytest.mark.parametrize(
    "change",
    [Path.unlink, _replace, _restore_folder_with_times, _remove_folder],
    ids=lambda each: each.__name__,
)
def test_a_change_is_noticed(
    database: Path,
    connection: FileConnection,
    ending: str,
    change: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _check_for_long(connection, monkeypatch)
    change(Path(f"{database}{ending}"))
    assert connection.is_lost_by_folder()
    assert connection.is_lost_by_folder(), "not only once"


def test_a_file_beside_it_changes_nothing(
    database: Path, connection: FileConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check_for_long(connection, monkeypatch)
    database.with_name("last_backup").touch()
    assert not connection.is_lost_by_folder()


def test_every_file_is_looked_at_as_long_as_another_change_could_have_the_same_time(
    connection: FileConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by two changes: newer versions of Linux give them different times.
    monkeypatch.setattr(sqlite_connections, "_CLOCK_TICK", 3_600.0)
    for _ in range(3):
        assert not connection.is_lost_by_folder()
        assert not connection._is_checked


def test_a_change_where_a_link_leads_to_is_noticed(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "elsewhere.db"
    database.symlink_to(real)
    connection = FileConnection(database)
    connection.execute("CREATE TABLE text (code)")
    connection.note_files(str(database))
    monkeypatch.setattr(sqlite_connections, "_CLOCK_TICK", 0.0)
    for _ in range(3):
        assert not connection.is_lost_by_folder()
    _replace(real)
    assert connection.is_lost_by_folder()
    connection.close()
