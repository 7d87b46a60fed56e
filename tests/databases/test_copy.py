"""`flask --app saver copy-to-server`: everything is copied, or nothing is changed."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from saver.codes import Code
from saver.database.errors import StorageError
from saver.ops import CopyToServer, OperationError
from saver.seal import Seal
from saver.store import StoredText, TextStore
from saver.texts import IdempotentRequest
from tests.conftest import Clock
from tests.support.copying import STAGES, Hooks, assert_same
from tests.support.postgres import Cluster, PostgresDatabase
from tests.support.process import free_port
from tests.support.server import ROOT, Server, environment
from tests.support.snapshot import execute, put_codes, query, snapshot
from tests.support.texts import extend, save

_log = logging.getLogger(__name__)

COOL_DOWN = 86_400
PROOF = bytes(range(32))
JWE = f"{Seal(bytes(16)).protected()}..a.b.c"
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"
HOSTILE = "\ufeff\r\n\\N\\.\t\x01 \u1100\u1161\u11a8 e\u0301 \U0001f600 \\x41 ''"
SECRET = "Pfeffernuss"


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 700) for number in range(500)]


@pytest.fixture
def migrated_target(cluster: Cluster, migrated_on_server: PostgresDatabase) -> Iterator[PostgresDatabase]:
    """A database with empty tables."""
    made = cluster.make(migrated_on_server)
    yield made
    cluster.drop(made)


@pytest.fixture
def texts(store: TextStore, clock: Clock) -> dict[str, StoredText]:
    """Store texts in every state; return those that live."""
    live = {
        "open": save(store, HOSTILE, 6_000),
        "sealed": save(store, JWE, 6_000, proof=PROOF),
        "once": save(store, "once", 6_000, once=True),
        "claimed": save(store, "claimed", 6_000, once=True),
        "repeated": save(store, "again", 6_000, idempotency=IdempotentRequest("key", b"request")),
    }
    store.load(live["claimed"].code, claim=CLAIM)
    for _ in range(20):
        save(store, "expires", 60)
    deleted = save(store, "deleted", 600)
    store.delete(deleted.code, deleted.owner_token)
    clock.tick(60)
    store.sweep(10)
    return live


def assert_unchanged(store: TextStore, texts: dict[str, StoredText], target: PostgresDatabase) -> None:
    """The SQLite database accepts writes, and the target holds nothing."""
    assert store.load(texts["open"].code).text == HOSTILE
    save(store, "new", 6_000)
    tables = query(target, "SELECT tablename FROM pg_tables WHERE tablename IN ('code', 'text')")
    assert not tables or snapshot(target) == ([], [])


def test_everything_is_copied_and_the_service_goes_on_there(
    make_app: Callable[..., Flask],
    store: TextStore,
    texts: dict[str, StoredText],
    copier: CopyToServer,
    clock: Clock,
    database: Path,
    target: PostgresDatabase,
) -> None:
    hooks = Hooks()
    done = copier.run(target.address, hooks)
    assert_same(database, target)
    assert (done.is_new, done.audit) == (True, store.audit())
    assert (done.audit.live, done.audit.not_wiped, done.audit.cooling_down, done.audit.duplicated) == (
        5,
        10,
        11,
        0,
    )
    assert (hooks.stages, hooks.missing) == (list(STAGES), 0)
    there: TextStore = make_app("data", database_url=target.address).extensions["saver"].store
    assert there.load(texts["open"].code).text == HOSTILE
    assert there.load(texts["sealed"].code, proof=PROOF).text == JWE
    assert there.load(texts["once"].code).text == "once"
    assert there.load(texts["claimed"].code, claim=CLAIM).text == "claimed"
    repeated = IdempotentRequest("key", b"request")
    assert save(there, "again", 6_000, idempotency=repeated) == texts["repeated"]
    assert there.status(texts["open"].code, texts["open"].owner_token).state == "loaded"
    there.delete(texts["open"].code, texts["open"].owner_token)
    assert save(there, "new", 600).code not in {text.code for text in texts.values()}
    clock.tick(6_000 + COOL_DOWN)
    while there.sweep(100).more:
        pass
    assert there.audit().free == 500


class TestReadOnly:
    """After the copy the SQLite database serves loads and accepts nothing."""

    def test_nothing_can_be_written(
        self,
        store: TextStore,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        copier.run(target.address, Hooks())
        text = texts["open"]
        assert store.load(text.code).text == HOSTILE
        assert store.load(texts["sealed"].code, proof=PROOF).text == JWE
        for write in (
            lambda: save(store, "x", 60),
            lambda: store.load(texts["once"].code, claim=CLAIM),
            lambda: store.ack(texts["claimed"].code, CLAIM),
            lambda: store.delete(text.code, text.owner_token),
            lambda: extend(store, text.code, text.owner_token, 9_000),
            lambda: store.remove(text.code),
            lambda: store.sweep(100),
        ):
            with pytest.raises(StorageError):
                write()
        for statement in (
            "INSERT INTO code VALUES ('zzzz')",
            "UPDATE code SET code = 'zzzz'",
            "DELETE FROM code",
            "INSERT INTO text (code, owner_hash, expires_at, free_at) VALUES ('zzzz', x'00', 1, 1)",
            "UPDATE text SET body = NULL",
            "DELETE FROM text",
        ):
            with pytest.raises(Exception, match="was copied to a server"):
                execute(database, statement)
        assert_same(database, target)

    def test_clients_are_told_to_try_again(
        self,
        client: FlaskClient,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        target: PostgresDatabase,
    ) -> None:
        copier.run(target.address, Hooks())
        owned = {"code": texts["open"].code, "owner_token": texts["open"].owner_token}
        for path, body in {
            "write": {"text": "x"},
            "load": {"code": texts["once"].code, "claim": CLAIM},
            "ack": {"code": texts["claimed"].code, "claim": CLAIM},
            "delete": owned,
            "extend": {**owned, "expires_in": 9_000},
        }.items():
            answer = client.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
        legacy = {"wrtext": "x", "wrpassword": "", "wrdelete_at": "1h"}
        assert client.post("/write/", json=legacy).status_code == 503
        assert client.post("/api/v1/load", json={"code": texts["open"].code}).json["text"] == HOSTILE

    def test_it_can_be_undone(
        self, store: TextStore, texts: dict[str, StoredText], copier: CopyToServer, target: PostgresDatabase
    ) -> None:
        assert copier.undo() is False
        copier.run(target.address, Hooks())
        assert copier.undo() is True
        save(store, "new", 600)

    def test_a_database_that_an_earlier_version_moved_can_be_undone(
        self, store: TextStore, copier: CopyToServer, database: Path
    ) -> None:
        for name in ("frozen_text_insert", "noted_code_delete"):
            execute(
                database,
                f"CREATE TRIGGER {name} BEFORE INSERT ON text BEGIN SELECT RAISE(ABORT, 'moved'); END",
            )
        with pytest.raises(StorageError):
            save(store, "x", 60)
        assert copier.undo() is True
        save(store, "x", 60)
        assert query(database, "SELECT name FROM sqlite_schema WHERE type = 'trigger'") == []


def run_until_killed(
    stage: str, database: Path, target: PostgresDatabase
) -> subprocess.CompletedProcess[str]:
    """Copy in another process, which kills itself at this stage."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.copying", stage],
        env=environment(database.parent, {}),
        cwd=ROOT,
        input=f"{target.address}\n",
        text=True,
        check=False,
        capture_output=True,
    )


class TestFailed:
    """A copy that failed leaves the database as it was, and can be repeated."""

    @pytest.mark.parametrize(
        ("stage", "how"),
        [*((stage, "lost") for stage in STAGES[1:3]), ("advance", "Ctrl-C"), ("compared", "Ctrl-C")],
    )
    def test_before_the_commit(
        self,
        stage: str,
        how: str,
        store: TextStore,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        def harm() -> None:
            if how == "lost":
                target.lose_connections()
            else:
                raise KeyboardInterrupt

        with pytest.raises(OperationError if how == "lost" else KeyboardInterrupt):
            copier.run(target.address, Hooks({stage: harm}))
        assert_unchanged(store, texts, target)
        copier.run(target.address, Hooks())
        assert_same(database, target)

    def test_a_commit_whose_end_is_unknown(
        self, texts: dict[str, StoredText], copier: CopyToServer, database: Path, target: PostgresDatabase
    ) -> None:
        with pytest.raises(
            OperationError, match=r"unknown whether .* has committed.* run the same command again"
        ):
            copier.run(target.address, Hooks({"compared": target.lose_connections}))
        assert copier.run(target.address, Hooks()).is_new
        assert_same(database, target)

    @pytest.mark.parametrize("stage", STAGES)
    def test_killed_at_any_stage(
        self,
        stage: str,
        store: TextStore,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        # This process has the file open too.
        assert "stop the service first" in run_until_killed(stage, database, target).stderr
        store.database.engine.dispose()
        killed = run_until_killed(stage, database, target)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        if stage != "committed":
            assert_unchanged(store, texts, target)
        done = copier.run(target.address, Hooks())
        assert done.is_new == (stage != "committed")
        assert_same(database, target)
        with pytest.raises(StorageError):
            save(store, "x", 60)


_FUNCTION = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"


@pytest.mark.parametrize(
    ("does", "when"),
    [
        ("NEW.body = NEW.body || ' '; RETURN NEW;", "BEFORE INSERT ON text"),
        ("NEW.size = NEW.size + 1; RETURN NEW;", "BEFORE INSERT ON text"),
        ("NEW.once = NOT NEW.once; RETURN NEW;", "BEFORE INSERT ON text"),
        ("NEW.claim_hash = NULL; RETURN NEW;", "BEFORE INSERT ON text"),
        ("NEW.free_at = NEW.free_at + 1; RETURN NEW;", "BEFORE INSERT ON text"),
        ("RETURN NULL;", "BEFORE INSERT ON text"),
        ("IF NEW.code > 'b' THEN RETURN NULL; END IF; RETURN NEW;", "BEFORE INSERT ON code"),
        ("INSERT INTO code VALUES (NEW.code); RETURN NEW;", "BEFORE INSERT ON text"),
    ],
)
def test_a_copy_that_differs_is_not_committed(
    does: str,
    when: str,
    store: TextStore,
    texts: dict[str, StoredText],
    copier: CopyToServer,
    migrated_target: PostgresDatabase,
) -> None:
    execute(migrated_target, _FUNCTION.format(does))
    execute(migrated_target, f"CREATE TRIGGER meddle {when} FOR EACH ROW EXECUTE FUNCTION meddle()")
    with pytest.raises(OperationError, match="the copy differs from its source"):
        copier.run(migrated_target.address, Hooks())
    assert_unchanged(store, texts, migrated_target)


class TestRefused:
    """A wrong target or source is refused, and nothing is changed."""

    def refused(self, copier: CopyToServer, address: str, why: str) -> None:
        with pytest.raises(OperationError, match=why) as error:
            copier.run(address, Hooks())
        assert SECRET not in str(error.value)

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("sqlite:///{database}", "URL of a PostgreSQL database"),
            ("mysql://saver:{secret}@127.0.0.1/saver", "URL of a PostgreSQL database"),
            ("postgresql+nothing://saver:{secret}@127.0.0.1/saver", "URL of a PostgreSQL database"),
            ("postgresql://saver:{secret}@127.0.0.1:port/saver", "URL of a PostgreSQL database"),
            ("{secret}", "URL of a PostgreSQL database"),
            ("postgresql://saver:{secret}@127.0.0.1:{free}/saver", "cannot be used: .*refused"),
            ("postgresql://saver:{secret}@127.0.0.1:{port}/nowhere", "cannot be used: .*does not exist"),
        ],
    )
    def test_no_target(
        self,
        address: str,
        why: str,
        store: TextStore,
        copier: CopyToServer,
        cluster: Cluster,
        database: Path,
    ) -> None:
        spelled = address.format(database=database, secret=SECRET, port=cluster.port, free=free_port())
        self.refused(copier, spelled, why)
        save(store, "x", 60)

    @pytest.mark.parametrize(
        "made", ["CREATE TABLE orders (id int)", "CREATE TABLE alembic_version AS SELECT '99' AS version_num"]
    )
    def test_a_database_of_another_program(
        self, made: str, store: TextStore, copier: CopyToServer, target: PostgresDatabase
    ) -> None:
        execute(target, made)
        before = query(target, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        self.refused(copier, target.address, "tables that are not saver's")
        assert query(target, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == before
        save(store, "x", 60)

    @pytest.mark.parametrize(
        ("what", "why"),
        [
            ("INSERT INTO code VALUES ('abcd')", "contains other codes or texts"),
            ("UPDATE alembic_version SET version_num = '99'", "schema that this saver does not know"),
        ],
    )
    def test_a_database_in_use_or_of_a_newer_saver(
        self, what: str, why: str, store: TextStore, copier: CopyToServer, migrated_target: PostgresDatabase
    ) -> None:
        execute(migrated_target, what)
        self.refused(copier, migrated_target.address, why)
        assert len(snapshot(migrated_target).free) == ("abcd" in what)
        save(store, "x", 60)

    def test_a_target_that_was_written_to_since(
        self, store: TextStore, texts: dict[str, StoredText], copier: CopyToServer, target: PostgresDatabase
    ) -> None:
        copier.run(target.address, Hooks())
        copier.undo()
        execute(target, "DELETE FROM code WHERE code = (SELECT min(code) FROM code)")
        self.refused(copier, target.address, "contains other codes or texts")
        save(store, "x", 60)

    def test_a_second_copy_at_once(
        self,
        make_app: Callable[..., Flask],
        texts: dict[str, StoredText],
        copier: CopyToServer,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        elsewhere = make_app("elsewhere").extensions["saver"].tools.copy

        def second() -> None:
            self.refused(
                make_app("data").extensions["saver"].tools.copy, target.address, "another one is under way"
            )
            self.refused(elsewhere, target.address, "in use")

        copier.run(target.address, Hooks({"copied": second}))
        assert_same(database, target)

    def test_a_database_that_was_copied_already(
        self, make_app: Callable[..., Flask], copier: CopyToServer, store: TextStore, target: PostgresDatabase
    ) -> None:
        copier.run(target.address, Hooks())
        self.refused(copier, target.address, "was copied already")
        there = make_app("there", database_url=target.address).extensions["saver"].tools.copy
        self.refused(there, target.address, "uses a database server already")

    def test_a_code_in_two_places(
        self, texts: dict[str, StoredText], copier: CopyToServer, database: Path, target: PostgresDatabase
    ) -> None:
        execute(database, "INSERT INTO code SELECT min(code) FROM text")
        self.refused(copier, target.address, "1 codes are in two places")

    def test_an_old_schema(self, copier: CopyToServer, database: Path, target: PostgresDatabase) -> None:
        execute(database, "UPDATE alembic_version SET version_num = '0003'")
        self.refused(copier, target.address, "has schema 0003, this saver needs .*: upgrade first")

    def test_a_running_service(self, live_server: Server, target: PostgresDatabase) -> None:
        assert live_server.post("/api/v1/write", {"text": "x"})[0] == 201
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "saver", "copy-to-server", "--to", target.address],
            env=environment(live_server.folder, {}),
            cwd=ROOT,
            text=True,
            check=False,
            capture_output=True,
        )
        assert (done.returncode, "stop the service first: process " in done.stderr) == (1, True), done.stderr


def test_writers_wait_and_readers_see_nothing_until_the_commit(
    make_app: Callable[..., Flask],
    texts: dict[str, StoredText],
    copier: CopyToServer,
    database: Path,
    target: PostgresDatabase,
) -> None:
    looked = []

    def look() -> None:
        with target.connect() as connection:
            connection.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("SELECT 1 FROM text")
        with pytest.raises(Exception, match="locked"):
            execute(database, "DELETE FROM code")
        looked.append(1)

    copier.run(target.address, Hooks(dict.fromkeys(("copied", "compared"), look)))
    assert len(looked) == 2


class TestCommand:
    """What the operator types and reads."""

    def test_a_copy(self, run: FlaskCliRunner, store: TextStore, target: PostgresDatabase) -> None:
        save(store, "x", 600)
        address = target.address.replace("saver@", f"saver:{SECRET}@")
        done = run.invoke(args=["copy-to-server", "--to", "-"], input=f"{address}\n")
        assert done.exit_code == 0, done.output
        place = f"127.0.0.1:{target.port}/{target.name}"
        assert f"copied to {place}\nfree    499\nlive    1\noverdue 0\nresting 0\n" in done.stdout
        assert "missing 7,311,116, as before" in done.stdout
        assert "SAVER_DATABASE_URL" in done.stdout
        assert query(target, "SELECT count(*) FROM code") == [(499,)]
        check = run.invoke(args=["check"])
        assert "database FAILING  accepts no writes: it was copied to a server" in check.stdout
        again = run.invoke(args=["move", "--to", address])
        assert (again.exit_code, "was copied already" in again.output) == (1, True)
        undone = run.invoke(args=["copy-to-server", "--undo"])
        assert undone.stdout == "the SQLite database accepts writes again\n"
        assert "database ok" in run.invoke(args=["check"]).stdout
        earlier = run.invoke(args=["copy-to-server", "--to", address])
        assert f"copied to {place} by an earlier run" in earlier.stdout
        for output in (done, check, again, undone, earlier):
            assert SECRET not in output.output

    def test_wrong_use(self, run: FlaskCliRunner) -> None:
        nothing = run.invoke(args=["copy-to-server"])
        assert (nothing.exit_code, "Usage" in nothing.output) == (2, True)
        empty = run.invoke(args=["copy-to-server", "--to", "-"], input="\n")
        assert (empty.exit_code, "must be the URL of a PostgreSQL database" in empty.output) == (1, True)

    def test_help_shows_one_name(self, run: FlaskCliRunner) -> None:
        listed = run.invoke(args=["--help"]).stdout
        assert "copy-to-server" in listed
        assert "  move " not in listed


def test_many_codes(
    make_app: Callable[..., Flask], database: Path, target: PostgresDatabase, store: TextStore
) -> None:
    """For all codes: COPY_CODES=7311616 ./scripts/test tests/databases/test_copy.py --log-cli-level=INFO."""
    number = int(os.environ.get("COPY_CODES", "20000"))
    execute(database, "DELETE FROM code")
    put_codes(database, (str(Code.nth(place)) for place in range(number)))
    save(store, "text", 600)
    started = time.monotonic()
    done = make_app("data").extensions["saver"].tools.copy.run(target.address, Hooks())
    _log.info("%d codes copied and compared in %.1f s", number, time.monotonic() - started)
    assert (done.audit.free, done.audit.live) == (number - 1, 1)
    assert query(target, "SELECT count(*) FROM code") == [(number - 1,)]
