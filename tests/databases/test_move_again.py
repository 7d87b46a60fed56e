"""A move that is refused, fails or is killed: nothing is lost, and it can be run again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from saver.codes import Code
from saver.database.writer import StorageError
from saver.ops import Mover, OperationError
from saver.store import TextStore
from tests.conftest import Clock
from tests.support.moving import STAGES, Told, left_in, the_same
from tests.support.postgres import Cluster, PostgresDatabase, tell_server
from tests.support.server import ROOT, environment, free_port
from tests.support.snapshot import ask, snapshot, tell
from tests.support.texts import save

REST = 86_400
SECRET = "Pfeffernuss"


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 700) for number in range(500)]


@pytest.fixture
def migrated_target(cluster: Cluster, migrated_on_server: PostgresDatabase) -> Iterator[PostgresDatabase]:
    """One with tables and nothing in them."""
    made = cluster.make(migrated_on_server)
    yield made
    cluster.drop(made)


@pytest.fixture
def other(cluster: Cluster) -> Iterator[PostgresDatabase]:
    """Another one."""
    made = cluster.make()
    yield made
    cluster.drop(made)


@pytest.fixture(autouse=True)
def kept(store: TextStore) -> list[str]:
    """The codes of the texts that are to be found after all."""
    return [save(store, f"text {number}", 6_000).code for number in range(50)]


def goes_on(store: TextStore, database: Path, kept: list[str]) -> None:
    """The old service takes and gives as if nothing had been."""
    assert [store.load(Code.parse(code)).text for code in kept] == [f"text {n}" for n in range(len(kept))]
    save(store, "new", 6_000)
    assert left_in(database) == []


def holds_nothing(target: PostgresDatabase) -> None:
    """Neither a code nor a text is in the target."""
    tables = ask(target, "SELECT tablename FROM pg_tables WHERE tablename IN ('code', 'text')")
    assert not tables or snapshot(target) == ([], [])


class TestFailed:
    """Something befalls the target or the mover, and it lives to tell."""

    @pytest.mark.parametrize(
        ("stage", "how"),
        [*((stage, "lost") for stage in STAGES[:5]), ("copying", "Ctrl-C"), ("frozen", "Ctrl-C")],
    )
    def test_before_the_end_the_old_service_goes_on(
        self,
        stage: str,
        how: str,
        store: TextStore,
        mover: Mover,
        database: Path,
        target: PostgresDatabase,
        kept: list[str],
    ) -> None:
        def harm() -> None:
            if how == "lost":
                target.lose_connections()
            else:
                raise KeyboardInterrupt

        expected = OperationError if how == "lost" else KeyboardInterrupt
        with pytest.raises(expected, match="goes on with the old database" if how == "lost" else None):
            mover.move(target.address, Told({stage: harm}))
        goes_on(store, database, kept)
        holds_nothing(target)
        mover.move(target.address, Told())
        the_same(database, target)

    def test_at_the_end_nobody_takes_a_write_until_it_is_known(
        self, store: TextStore, mover: Mover, database: Path, target: PostgresDatabase, kept: list[str]
    ) -> None:
        with pytest.raises(
            OperationError, match=r"nobody knows.*takes no writes.*run the same command again"
        ):
            mover.move(target.address, Told({"compared": target.lose_connections}))
        with pytest.raises(StorageError):
            save(store, "x", 60)
        # It was not kept, so the next run begins anew, with the old service.
        moved = mover.move(target.address, Told({"copied": lambda: save(store, "between", 6_000)}))
        assert moved.caught_up == 1
        the_same(database, target)

    def test_it_was_kept_but_nobody_was_told(
        self, store: TextStore, mover: Mover, database: Path, target: PostgresDatabase
    ) -> None:
        def harm() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            mover.move(target.address, Told({"kept": harm}))
        # The new service has begun.
        tell(target, "DELETE FROM code WHERE code = (SELECT min(code) FROM code)")
        moved = mover.move(target.address, Told({"began": harm}))
        assert (moved.audit, moved.read_only) == (None, None)
        assert moved.place.endswith(target.name)
        with pytest.raises(StorageError):
            save(store, "x", 60)


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_it_can_be_run_again(
    stage: str, store: TextStore, mover: Mover, database: Path, target: PostgresDatabase, kept: list[str]
) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.moving", stage],
        env=environment(database.parent, {}),
        cwd=ROOT,
        input=f"{target.address}\n",
        text=True,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    is_frozen = stage in STAGES[STAGES.index("frozen") :]
    if is_frozen:
        with pytest.raises(StorageError):
            save(store, "x", 60)
    else:
        save(store, "goes on", 6_000)
    if stage != "kept":
        holds_nothing(target)
    moved = mover.move(target.address, Told())
    assert (moved.audit is None) == (stage == "kept")
    the_same(database, target)
    with pytest.raises(StorageError):
        save(store, "x", 60)


_FUNCTION = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"


@pytest.mark.parametrize(
    ("does", "when", "why"),
    [
        ("NEW.body = NEW.body || ' '; RETURN NEW;", "BEFORE INSERT ON text", "a code or text is not there"),
        ("RETURN NULL;", "BEFORE INSERT ON text", "a code or text is not there"),
        (
            "IF NEW.code > 'b' THEN RETURN NULL; END IF; RETURN NEW;",
            "BEFORE INSERT ON code",
            "not every code",
        ),
        (
            "IF NEW.body = 'late' THEN UPDATE text SET size = 9 WHERE body <> 'late'; END IF; RETURN NEW;",
            "AFTER INSERT ON text",
            "not every text is there as it was",
        ),
        (
            "IF NEW.body = 'late' THEN INSERT INTO code SELECT min(code) FROM text; END IF; RETURN NEW;",
            "AFTER INSERT ON text",
            "a code is in two places",
        ),
    ],
)
def test_a_target_that_keeps_something_else_is_not_moved_to(
    does: str,
    when: str,
    why: str,
    store: TextStore,
    mover: Mover,
    database: Path,
    migrated_target: PostgresDatabase,
    kept: list[str],
) -> None:
    tell(migrated_target, _FUNCTION.format(does))
    tell(migrated_target, f"CREATE TRIGGER meddle {when} FOR EACH ROW EXECUTE FUNCTION meddle()")
    with pytest.raises(OperationError, match=f"goes on with the old database: {why}"):
        mover.move(migrated_target.address, Told({"caught up": lambda: save(store, "late", 6_000)}))
    goes_on(store, database, kept)
    holds_nothing(migrated_target)


class TestRefused:
    """Nothing is changed, here or there."""

    def refused(self, mover: Mover, address: str, why: str) -> None:
        with pytest.raises(OperationError, match=why) as told:
            mover.move(address, Told())
        assert SECRET not in str(told.value)

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("sqlite:///{database}", "a database that a server keeps"),
            ("mysql://saver:{secret}@127.0.0.1/saver", "a database that a server keeps"),
            ("postgresql+nothing://saver:{secret}@127.0.0.1/saver", "a database that a server keeps"),
            ("postgresql://saver:{secret}@127.0.0.1:port/saver", "a database that a server keeps"),
            ("{secret}", "a database that a server keeps"),
            ("postgresql://saver:{secret}@127.0.0.1:{free}/saver", "cannot be used: .*refused"),
            ("postgresql://saver:{secret}@127.0.0.1:{port}/nowhere", "cannot be used: .*does not exist"),
        ],
    )
    def test_no_target(
        self,
        address: str,
        why: str,
        store: TextStore,
        mover: Mover,
        cluster: Cluster,
        database: Path,
        kept: list[str],
    ) -> None:
        spelled = address.format(database=database, secret=SECRET, port=cluster.port, free=free_port())
        self.refused(mover, spelled, why)
        goes_on(store, database, kept)

    @pytest.mark.parametrize(
        ("made", "why"),
        [
            ("CREATE TABLE orders (id int)", "tables that are not saver's"),
            ("CREATE TABLE alembic_version AS SELECT '99' AS version_num", "tables that are not saver's"),
        ],
    )
    def test_a_target_of_somebody_else(
        self,
        made: str,
        why: str,
        store: TextStore,
        mover: Mover,
        database: Path,
        target: PostgresDatabase,
        kept: list[str],
    ) -> None:
        tell(target, made)
        before = ask(target, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        self.refused(mover, target.address, why)
        assert ask(target, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == before
        goes_on(store, database, kept)

    @pytest.mark.parametrize(
        "what", ["INSERT INTO code VALUES ('abcd')", "UPDATE alembic_version SET version_num = '99'"]
    )
    def test_a_target_in_use_or_of_a_newer_saver(
        self,
        what: str,
        make_app: Callable[..., Flask],
        store: TextStore,
        mover: Mover,
        database: Path,
        migrated_target: PostgresDatabase,
        kept: list[str],
    ) -> None:
        tell(migrated_target, what)
        self.refused(mover, migrated_target.address, "holds codes or texts already|does not know")
        assert len(snapshot(migrated_target).free) == ("abcd" in what)
        goes_on(store, database, kept)

    def test_a_second_move_at_once(
        self,
        mover: Mover,
        make_app: Callable[..., Flask],
        database: Path,
        target: PostgresDatabase,
        other: PostgresDatabase,
    ) -> None:
        """Of the same service to anywhere, or of anybody to the same target."""
        elsewhere = make_app("elsewhere").extensions["saver"].tools.move

        def second() -> None:
            self.refused(
                make_app("data").extensions["saver"].tools.move, other.address, "another one is under way"
            )
            self.refused(elsewhere, target.address, "in use or cannot be read")

        mover.move(target.address, Told({"copied": second}))
        the_same(database, target)
        assert left_in(database.parent.parent / "elsewhere" / "saver.db") == []

    def test_a_service_that_has_moved_already(
        self,
        store: TextStore,
        mover: Mover,
        cluster: Cluster,
        other: PostgresDatabase,
        make_app: Callable[..., Flask],
    ) -> None:
        first = cluster.make()
        mover.move(first.address, Told())
        self.refused(mover, other.address, f"takes no writes.*a move to .*{first.name} has begun or is done")
        there = make_app("there", database_url=first.address).extensions["saver"].tools.move
        self.refused(there, other.address, "kept by a server already")
        cluster.drop(first)
        self.refused(mover, first.address, "cannot be used")
        tell_server(cluster.port, f"CREATE DATABASE {first.name}")
        self.refused(mover, first.address, "it was moved to .*, where it is no more")
        cluster.drop(first)
        with pytest.raises(StorageError):
            save(store, "x", 60)


def test_whoever_is_pointed_at_the_target_waits_until_all_is_there(
    mover: Mover, target: PostgresDatabase, kept: list[str]
) -> None:
    seen = []

    def look() -> None:
        with target.connect() as connection:
            connection.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("SELECT 1 FROM text")
        seen.append(1)

    mover.move(target.address, Told(dict.fromkeys(("copied", "frozen", "compared"), look)))
    assert len(seen) == 3
    assert len(snapshot(target).leased) == len(kept)


class TestUndone:
    """The operator wants to stay."""

    def test_the_old_database_takes_writes_again(
        self, store: TextStore, mover: Mover, database: Path, target: PostgresDatabase, kept: list[str]
    ) -> None:
        assert mover.undo() is None
        mover.move(target.address, Told())
        found = mover.undo()
        assert found
        assert (found.target.endswith(target.name), found.done) == (True, True)
        goes_on(store, database, kept)

    def test_not_if_the_new_one_was_written_to(
        self,
        store: TextStore,
        mover: Mover,
        clock: Clock,
        database: Path,
        target: PostgresDatabase,
        other: PostgresDatabase,
        make_app: Callable[..., Flask],
        kept: list[str],
    ) -> None:
        mover.move(target.address, Told())
        there: TextStore = make_app("data", database_url=target.address).extensions["saver"].store
        with pytest.raises(OperationError, match="was moved to"):
            mover.undo(other.address)
        lease = save(there, "new", 600)
        with pytest.raises(OperationError, match="written to since"):
            mover.undo(target.address)
        there.delete(lease.code, lease.owner_token)
        with pytest.raises(OperationError, match="written to since"):
            mover.undo(target.address)
        with pytest.raises(StorageError):
            save(store, "x", 60)
        clock.tick(600 + REST)
        there.sweep(100)
        with pytest.raises(OperationError, match="written to since"):
            mover.undo(target.address)

    def test_if_it_was_not_written_to(
        self, store: TextStore, mover: Mover, database: Path, target: PostgresDatabase, kept: list[str]
    ) -> None:
        mover.move(target.address, Told())
        assert mover.undo(target.address)
        goes_on(store, database, kept)
