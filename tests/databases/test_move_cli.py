"""`flask --app saver move`: what the operator types, and is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskCliRunner

from saver.codes import Code
from saver.store import TextStore
from tests.support.postgres import Cluster, PostgresDatabase
from tests.support.snapshot import ask
from tests.support.texts import save

SECRET = "Pfeffernuss"


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 700) for number in range(100)]


@pytest.fixture
def target(cluster: Cluster) -> Iterator[PostgresDatabase]:
    """An empty database, without tables."""
    made = cluster.make()
    yield made
    cluster.drop(made)


def test_the_operator_is_told_what_was_done_and_what_is_left_to_do(
    run: FlaskCliRunner, store: TextStore, target: PostgresDatabase
) -> None:
    save(store, "x", 600)
    address = target.address.replace("saver@", f"saver:{SECRET}@")
    told = run.invoke(args=["move", "--to", "-"], input=f"{address}\n")
    assert told.exit_code == 0, told.output
    place = f"127.0.0.1:{target.port}/{target.name}"
    assert f"moved to {place}; 0 codes changed meanwhile" in told.stdout
    assert re.search(r"writes were refused for 0\.\d\d s, and are until you restart", told.stdout)
    assert "free    99\nlive    1\noverdue 0\nresting 0\n" in told.stdout
    assert "missing 7,311,516, as before" in told.stdout
    assert "SAVER_DATABASE_URL" in told.stdout
    stages = re.findall(r"^ +\d+\.\d\d s  (\w+)", told.stdout, re.MULTILINE)
    assert stages == ["copied", "caught", "the", "compared", "kept"]
    assert ask(target, "SELECT count(*) FROM code") == [(99,)]
    again = run.invoke(args=["move", "--to", address])
    assert (again.exit_code, again.stdout.partition("\n")[0]) == (0, f"it was moved to {place} before")
    check = run.invoke(args=["check"])
    assert f"database FAILING  takes no writes: moved to {place}" in check.stdout
    undone = run.invoke(args=["move", "--undo"])
    assert undone.stdout.startswith("the old database takes writes again\na service on")
    assert "database ok" in run.invoke(args=["check"]).stdout
    refused = run.invoke(args=["move", "--to", address])
    assert refused.exit_code == 1
    assert f"Error: {place} holds codes or texts already: nothing of it was touched" in refused.output
    for said in (told, again, check, undone, refused):
        assert SECRET not in said.output


def test_wrong_use_is_told(run: FlaskCliRunner) -> None:
    told = run.invoke(args=["move"])
    assert (told.exit_code, "Usage" in told.output) == (2, True)
    empty = run.invoke(args=["move", "--to", "-"], input="\n")
    assert (empty.exit_code, "must be the URL of a database" in empty.output) == (1, True)


def test_an_undo_of_nothing_is_no_error(run: FlaskCliRunner, store: TextStore) -> None:
    undone = run.invoke(args=["move", "--undo"])
    assert (undone.exit_code, undone.stdout) == (0, "the old database takes writes\n")
    save(store, "x", 60)
