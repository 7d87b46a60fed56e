"""The migrations make the tables of the models, and can be undone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from saver import create_app
from saver.database import tables
from saver.settings import Settings
from tests.conftest import settings_in
from tests.support.snapshot import execute, query
from tests.support.texts import save

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
OBJECTS = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def migrating(folder: Path) -> Iterator[Flask]:
    """An app without a database."""
    app = create_app(settings_in(folder))
    with app.app_context():
        yield app


@pytest.fixture
def database(migrating: Flask, folder: Path) -> Path:
    """A database that the migrations made."""
    upgrade()
    return folder / "saver.db"


@pytest.fixture
def scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def objects_in(database: Path) -> list[object]:
    return [row[0] for row in query(database, OBJECTS)]


def sql_of(database: Path, name: str) -> str:
    [(sql,)] = query(database, "SELECT sql FROM sqlite_schema WHERE name = ?", name)
    return plain(str(sql))


def plain(sql: str) -> str:
    """A statement without what SQL ignores, so that two spellings can be compared."""
    return " ".join(sql.replace('"', "").replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split())


def differences(engine: Engine) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "target_metadata": tables.metadata}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, tables.metadata))


def test_the_migrations_make_what_the_models_say(database: Path) -> None:
    assert differences(create_engine(f"sqlite:///{database}")) == []


def test_what_alembic_does_not_compare_is_the_same_too(database: Path) -> None:
    # Alembic compares no checks, primary keys, rowids or conditions of indexes.
    engine = create_engine(f"sqlite:///{database}")
    for table in tables.metadata.sorted_tables:
        assert parts(sql_of(database, table.name)) == parts(str(CreateTable(table).compile(engine)))
        for index in table.indexes:
            assert sql_of(database, str(index.name)) == plain(str(CreateIndex(index).compile(engine)))


def parts(sql: str) -> list[str]:
    """The columns and constraints of a table, in any order, and the rest of the statement."""
    head, _, rest = plain(sql).partition(" ( ")
    inside, _, after = rest.rpartition(" ) ") if not rest.endswith(" )") else (rest[:-2], "", "")
    return [head, *sorted(inside.split(" , ")), after]


def test_the_pool_has_no_rowid_and_the_indexes_are_partial(database: Path) -> None:
    assert sql_of(database, "code").endswith("WITHOUT ROWID")
    assert sql_of(database, "ix_text_expires_at").endswith("WHERE body IS NOT NULL")
    assert sql_of(database, "ix_text_free_at").endswith("WHERE body IS NULL")


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT code FROM text WHERE body IS NOT NULL AND expires_at <= 1", "ix_text_expires_at"),
        ("SELECT code FROM text WHERE body IS NULL AND free_at <= 1", "ix_text_free_at"),
    ],
)
def test_a_sweep_finds_its_rows_by_an_index(database: Path, question: str, index: str) -> None:
    [(*_, plan)] = query(database, f"EXPLAIN QUERY PLAN {question}")
    assert index in str(plan)


def test_up_down_and_up_again_ends_where_it_began(database: Path) -> None:
    before = query(database, "SELECT name, sql FROM sqlite_schema ORDER BY name")
    downgrade(revision="base")
    assert objects_in(database) == ["alembic_version"]
    upgrade()
    assert query(database, "SELECT name, sql FROM sqlite_schema ORDER BY name") == before


def test_every_step_goes_down_and_up_again(migrating: Flask, folder: Path, scripts: ScriptDirectory) -> None:
    for script in reversed(list(scripts.walk_revisions())):
        upgrade(revision=script.revision)
        after = objects_in(folder / "saver.db")
        downgrade(revision=str(script.down_revision or "base"))
        upgrade(revision=script.revision)
        assert objects_in(folder / "saver.db") == after


def test_upgrading_twice_changes_nothing(database: Path) -> None:
    before = query(database, "SELECT name, sql FROM sqlite_schema ORDER BY name")
    upgrade()
    assert query(database, "SELECT name, sql FROM sqlite_schema ORDER BY name") == before


def test_there_is_one_head_and_the_database_is_at_it(database: Path, scripts: ScriptDirectory) -> None:
    [head] = scripts.get_heads()
    assert query(database, "SELECT version_num FROM alembic_version") == [(head,)]


def test_a_file_is_named_after_its_revision(scripts: ScriptDirectory) -> None:
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")


def test_a_migration_does_not_seed(database: Path) -> None:
    for table in tables.metadata.tables:
        assert query(database, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_migration_does_not_depend_on_the_house() -> None:
    # A migration must do the same in ten years, with other models.
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.partition(".")[0] == "saver"], path.name


def test_texts_survive_an_upgrade(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    lease = save(app.extensions["saver"].store, "kept", 600)
    with app.app_context():
        upgrade()
    assert app.extensions["saver"].store.load(lease.code).text == "kept"


ROWS = [
    (
        "aaaa",
        "a \N{SNOWMAN}",
        None,
        None,
        b"o" * 32,
        0,
        None,
        5,
        100,
        200,
        None,
        b"s" * 16,
        9,
        b"k" * 32,
        None,
    ),
    ("aaab", "x.y.z", "x", b"p" * 32, b"o" * 32, 1, b"c" * 32, 6, 101, 201, None, None, 5, None, None),
    ("aAbB", None, None, None, b"o" * 32, 1, None, 7, 102, 202, "read", None, 5, None, b"r" * 32),
]
NAMES = "code, body, seal, proof_hash, owner_hash, once, claim_hash, saved_at, expires_at, free_at, ended,"
NAMES += " source, size, key_hash, request_hash"
FROZEN = "CREATE TRIGGER frozen_text_insert BEFORE INSERT ON text BEGIN SELECT RAISE(ABORT, 'moved'); END"


def test_every_column_survives_the_copy_of_the_table(migrating: Flask, folder: Path) -> None:
    upgrade(revision="0003")
    marks = ", ".join("?" * len(ROWS[0]))
    execute(folder / "saver.db", f"INSERT INTO text ({NAMES}) VALUES ({marks})", ROWS)
    execute(folder / "saver.db", FROZEN)
    up, down = partial(upgrade, revision="0004"), partial(downgrade, revision="0003")
    for move in (up, down, up):
        move()
        assert query(folder / "saver.db", f"SELECT {NAMES} FROM text ORDER BY saved_at") == ROWS
        # A database that was copied to a server still accepts no writes.
        assert sql_of(folder / "saver.db", "frozen_text_insert") == plain(FROZEN)
    assert query(folder / "saver.db", "PRAGMA integrity_check") == [("ok",)]


def test_a_large_body_is_behind_all_that_is_read_of_a_row(database: Path) -> None:
    columns = [str(name) for _, name, *_ in query(database, "PRAGMA table_info(text)")]
    assert columns[-1] == "body"


def test_a_copy_that_is_broken_off_leaves_the_table_as_it_was(migrating: Flask, folder: Path) -> None:
    upgrade(revision="0003")
    before = query(folder / "saver.db", "SELECT name, sql FROM sqlite_schema ORDER BY name")
    # The name of the copy's last index is taken.
    execute(folder / "saver.db", "CREATE TABLE ix_text_network (x)")
    with pytest.raises(OperationalError):
        upgrade()
    execute(folder / "saver.db", "DROP TABLE ix_text_network")
    assert query(folder / "saver.db", "SELECT name, sql FROM sqlite_schema ORDER BY name") == before
    assert query(folder / "saver.db", "SELECT version_num FROM alembic_version") == [("0003",)]


def test_a_database_that_is_behind_is_not_ready(migrating: Flask, folder: Path) -> None:
    settings: Settings = migrating.extensions["saver"].settings
    assert settings.data_dir == folder
    state = migrating.test_client().get("/readyz")
    assert (state.status_code, state.get_json()["schema"]) == (503, "failing")
    upgrade()
    assert migrating.test_client().get("/readyz").get_json()["schema"] == "ok"
