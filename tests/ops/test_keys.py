"""A secret key that is changed or lost: what `check`, `restore` and `restore-finish` say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from saver.app import Services
from saver.codes import Code
from saver.store import NoTextError, StoredText, TextStore
from tests.conftest import ALL_DATABASES, Clock
from tests.support.texts import save

DATABASES = ALL_DATABASES
LOST = (
    "{} live texts cannot be opened: their secret key is not known here. Put it into"
    " SAVER_OLD_SECRET_KEYS or into a file secret_key.old; if it is lost, so are they"
)
KEY = "a secret key of more than 32 characters"


def keys_line(app: Flask) -> str:
    output = app.test_cli_runner().invoke(args=["check"]).stdout
    return next(line for line in output.splitlines() if line.startswith("keys"))


@pytest.fixture
def texts(store: TextStore) -> list[StoredText]:
    return [save(store, "one", 600), save(store, "two", 6_000)]


def rotate(folder: Path) -> None:
    """What docs/operating.md says."""
    (folder / "secret_key").rename(folder / "secret_key.old")


def test_a_rotation_opens_what_was_there_and_check_counts_it(
    app: Flask, make_app: Callable[..., Flask], texts: list[StoredText], tmp_path: Path, clock: Clock
) -> None:
    assert keys_line(app).split(maxsplit=2) == ["keys", "ok", "2 live texts open with the known keys"]
    rotate(tmp_path / "data")
    again = make_app()
    store: TextStore = again.extensions["saver"].store
    assert [store.load(text.code).text for text in texts] == ["one", "two"]
    save(store, "three", 600)
    assert keys_line(again).endswith("3 live texts open with the known keys, 2 of them under an old one")
    clock.tick(600)
    assert keys_line(again).endswith("1 live texts open with the known keys, 1 of them under an old one")
    (tmp_path / "data" / "secret_key.old").rename(tmp_path / "data" / "secret_key.old-2026")
    assert make_app().extensions["saver"].store.load(texts[1].code).text == "two"
    (tmp_path / "data" / "secret_key.old-2026").unlink()
    assert keys_line(make_app()).split(maxsplit=2) == ["keys", "FAILING", LOST.format(1)]


def test_a_lost_key_is_reported_until_its_texts_would_have_ended(
    make_app: Callable[..., Flask], texts: list[StoredText], tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "data" / "secret_key").unlink()
    app = make_app()
    assert keys_line(app).split(maxsplit=2) == ["keys", "FAILING", LOST.format(2)]
    assert app.test_cli_runner().invoke(args=["check"]).exit_code == 1
    services: Services = app.extensions["saver"]
    # New texts are served meanwhile.
    assert services.store.load(save(services.store, "new", 60).code).text == "new"
    clock.tick(6_000)
    assert keys_line(app).split(maxsplit=2) == ["keys", "ok", "0 live texts open with the known keys"]


def test_two_servers_with_different_keys_are_reported(
    make_app: Callable[..., Flask], texts: list[StoredText]
) -> None:
    assert keys_line(make_app(secret_key=KEY)).split(maxsplit=2) == ["keys", "FAILING", LOST.format(2)]


@pytest.mark.databases("sqlite")
class TestRestore:
    @pytest.fixture
    def backup(self, run: FlaskCliRunner, texts: list[StoredText], backups: Path) -> Path:
        made = run.invoke(args=["backup", "--to", str(backups)])
        return Path(made.stdout.splitlines()[0])

    @pytest.fixture
    def elsewhere(self, tmp_path: Path) -> Path:
        """The data directory of another machine."""
        (tmp_path / "elsewhere").mkdir()
        return tmp_path / "elsewhere"

    def test_without_the_key_it_says_that_the_texts_are_lost(
        self, make_app: Callable[..., Flask], elsewhere: Path, backup: Path, texts: list[StoredText]
    ) -> None:
        app = make_app(elsewhere.name)
        done = app.test_cli_runner().invoke(args=["restore", str(backup), "--lost"])
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, LOST.format(2))
        assert keys_line(app).split(maxsplit=2) == ["keys", "FAILING", LOST.format(2)]
        with pytest.raises(NoTextError):
            app.extensions["saver"].store.load(texts[0].code)

    def test_with_the_key_every_text_is_there(
        self,
        make_app: Callable[..., Flask],
        elsewhere: Path,
        backup: Path,
        texts: list[StoredText],
        tmp_path: Path,
    ) -> None:
        shutil.copy(tmp_path / "data" / "secret_key", elsewhere)
        app = make_app(elsewhere.name)
        done = app.test_cli_runner().invoke(args=["restore", str(backup), "--lost"])
        assert (done.exit_code, "cannot be opened" in done.output) == (0, False)
        assert [app.extensions["saver"].store.load(text.code).text for text in texts] == ["one", "two"]

    def test_the_key_is_in_no_backup(self, backup: Path, tmp_path: Path) -> None:
        secret = (tmp_path / "data" / "secret_key").read_bytes()
        assert [path.name for path in backup.parent.iterdir()] == [backup.name]
        assert secret not in backup.read_bytes()

    def test_beside_the_replaced_database_too(
        self, make_app: Callable[..., Flask], app: Flask, backup: Path, tmp_path: Path
    ) -> None:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
        (tmp_path / "data" / "secret_key").unlink()
        done = make_app().test_cli_runner().invoke(args=["restore", str(backup)])
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, LOST.format(2))


@pytest.mark.databases("postgresql")
def test_after_pg_restore_it_says_the_same(
    make_app: Callable[..., Flask], app: Flask, texts: list[StoredText]
) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    done = make_app(secret_key=KEY).test_cli_runner().invoke(args=["restore-finish"])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, LOST.format(2))
    assert Code(texts[0].code) not in done.output
