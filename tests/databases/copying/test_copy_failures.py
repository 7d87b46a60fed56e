"""A copy to a server that fails or is killed: nothing is changed, and it can be repeated."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from saver.database.errors import StorageError
from saver.ops import CopyToServer, OperationError
from saver.store import StoredText, TextStore
from tests.databases.copying.conftest import HOSTILE
from tests.support.copying import STAGES, Hooks, assert_same
from tests.support.postgres import PostgresDatabase
from tests.support.server import ROOT, environment
from tests.support.snapshot import execute, query, snapshot
from tests.support.texts import save


def assert_unchanged(store: TextStore, texts: dict[str, StoredText], target: PostgresDatabase) -> None:
    """The SQLite database accepts writes, and the target holds nothing."""
    assert store.load(texts["open"].code).text == HOSTILE
    save(store, "new", 6_000)
    tables = query(target, "SELECT tablename FROM pg_tables WHERE tablename IN ('code', 'text')")
    assert not tables or snapshot(target) == ([], [])


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
