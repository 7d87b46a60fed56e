"""Sources and targets that a copy to a server refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from saver.ops import CopyToServer, OperationError
from saver.store import StoredText, TextStore
from tests.databases.copying.conftest import SECRET
from tests.support.copying import Hooks, assert_same
from tests.support.postgres import Cluster, PostgresDatabase
from tests.support.process import free_port
from tests.support.server import ROOT, Server, environment
from tests.support.snapshot import execute, query, snapshot
from tests.support.texts import save


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

    def test_a_second_copy_at_the_same_time(
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
