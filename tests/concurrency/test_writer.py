"""Group commit: many operations share a commit, each is complete or undone, and none waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from saver.app import Services
from saver.database import StorageError
from saver.database.writer import GroupCommitWriter, Writer
from saver.store import PoolEmptyError, TextStore
from tests.support.process import wait_until
from tests.support.snapshot import snapshot
from tests.support.texts import save
from tests.support.threads import TIMEOUT, run_concurrently

FEW = [f"aaa{letter}" for letter in "abcdefgh"]


class CommitError(Exception):
    """An error of the disk."""


class Commits:
    """Counts the commits of an engine; can delay one or let it fail."""

    def __init__(self) -> None:
        self.count = 0
        self.before: Callable[[int], None] = lambda _number: None

    def __call__(self, _connection: Connection) -> None:
        self.count += 1
        self.before(self.count)


@pytest.fixture
def codes() -> list[str]:
    return FEW


@pytest.fixture
def commits(store: TextStore) -> Iterator[Commits]:
    found = Commits()
    event.listen(store.database.engine, "commit", found)
    yield found
    event.remove(store.database.engine, "commit", found)


@pytest.fixture
def writer(store: TextStore) -> GroupCommitWriter:
    return GroupCommitWriter(store.database)


def insert(code: str, connection: Connection) -> str:
    connection.exec_driver_sql("INSERT INTO code VALUES (?)", (code,))
    return code


def refuse(connection: Connection) -> str:
    insert("never", connection)
    raise PoolEmptyError


def attempt(writer: Writer, work: Callable[[Connection], str]) -> str | Exception:
    try:
        return writer.run(work)
    except (PoolEmptyError, StorageError) as error:
        return error


def all_waiting_behind_one(
    writer: GroupCommitWriter, works: list[Callable[[Connection], str]]
) -> list[str | Exception]:
    """Block one operation until all others wait for it, so that they become one batch."""
    begun = threading.Event()

    def first(connection: Connection) -> str:
        begun.set()
        wait_until(lambda: writer.waiting == len(works), "the others do not queue up")
        return insert("first", connection)

    def follow(work: Callable[[Connection], str]) -> str | Exception:
        assert begun.wait(TIMEOUT)
        return attempt(writer, work)

    return run_concurrently([partial(attempt, writer, first), *(partial(follow, work) for work in works)])


def test_those_who_wait_share_a_commit(
    writer: GroupCommitWriter, commits: Commits, services: Services
) -> None:
    names = [f"new{number}" for number in range(20)]
    done = all_waiting_behind_one(writer, [partial(insert, name) for name in names])
    assert done == ["first", *names]
    assert commits.count == 2
    assert set(snapshot(services.settings.data_dir / "saver.db").free) == {"first", *names, *FEW}


def test_one_that_is_refused_does_no_harm_to_the_others(
    writer: GroupCommitWriter, services: Services
) -> None:
    names = [f"new{number}" for number in range(20)]
    works: list[Callable[[Connection], str]] = [partial(insert, name) for name in names]
    done = all_waiting_behind_one(writer, [*works[:7], refuse, *works[7:15], refuse, *works[15:]])
    assert [result for result in done if isinstance(result, str)] == ["first", *names]
    assert [type(result) for result in done if not isinstance(result, str)] == [PoolEmptyError] * 2
    # Nothing of the refused operations is stored, and nothing of the others twice.
    assert sorted(snapshot(services.settings.data_dir / "saver.db").free) == sorted(["first", *names, *FEW])


def test_no_operation_returns_before_the_commit(
    writer: GroupCommitWriter, commits: Commits, services: Services
) -> None:
    answered = threading.Event()
    early: list[bool] = []
    names = [f"new{number}" for number in range(8)]

    def hold(number: int) -> None:
        if number == 2:
            early.append(answered.wait(0.3))

    commits.before = hold
    database = services.settings.data_dir / "saver.db"
    run = writer.run

    def run_and_look(work: Callable[[Connection], str]) -> str:
        result = run(work)
        if result != "first":
            answered.set()
        assert result in snapshot(database).free
        return result

    writer.run = run_and_look  # type: ignore[method-assign, assignment]
    all_waiting_behind_one(writer, [partial(insert, name) for name in names])
    assert early == [False]


def test_a_commit_that_fails_is_everybodys_failure_and_the_next_one_works(
    writer: GroupCommitWriter, commits: Commits, services: Services
) -> None:
    def fail(number: int) -> None:
        if number == 2:
            raise OperationalError("COMMIT", None, CommitError())

    commits.before = fail
    names = [f"new{number}" for number in range(8)]
    done = all_waiting_behind_one(writer, [partial(insert, name) for name in names])
    assert [type(result) for result in done] == [str] + [StorageError] * 8
    assert sorted(snapshot(services.settings.data_dir / "saver.db").free) == sorted(["first", *FEW])
    assert writer.run(partial(insert, "next")) == "next"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_leaves_no_thread_waiting(
    writer: GroupCommitWriter, interruption: type[BaseException], services: Services
) -> None:
    def interrupted(_connection: Connection) -> str:
        raise interruption

    def run(work: Callable[[Connection], str]) -> str:
        try:
            return writer.run(work)
        except BaseException as error:
            return type(error).__name__

    names = [f"new{number}" for number in range(6)]
    works: list[Callable[[Connection], str]] = [partial(insert, name) for name in names]
    works.insert(3, interrupted)
    done = run_concurrently([partial(run, work) for work in works])
    committed = set(snapshot(services.settings.data_dir / "saver.db").free) - set(FEW)
    # Every operation that reported success is stored; all others reported an error.
    assert committed == set(done) & set(names)
    assert set(done) - committed <= {interruption.__name__, "StorageError"}
    assert writer.run(partial(insert, "next")) == "next"


def test_the_lead_is_always_handed_on(writer: GroupCommitWriter, services: Services) -> None:
    threads, jobs = 32, 25
    random = Random(7)
    refused = {(thread, job) for thread in range(threads) for job in range(jobs) if random.random() < 0.1}

    def work(thread: int) -> int:
        done = 0
        for job in range(jobs):
            if (thread, job) in refused:
                assert isinstance(attempt(writer, refuse), PoolEmptyError)
            else:
                done += attempt(writer, partial(insert, f"{thread}.{job}")) == f"{thread}.{job}"
        return done

    done = run_concurrently([partial(work, thread) for thread in range(threads)], timeout=TIMEOUT)
    assert sum(done) == threads * jobs - len(refused)
    free = snapshot(services.settings.data_dir / "saver.db").free
    assert len(free) == len(set(free)) == sum(done) + len(FEW)
    assert not writer.waiting
    assert not writer.has_leader


def test_an_empty_pool_refuses_some_and_serves_the_others(store: TextStore, services: Services) -> None:
    def save_one(number: int) -> str | None:
        try:
            return save(store, f"text {number}", 600).code
        except PoolEmptyError:
            return None

    saved = run_concurrently([partial(save_one, number) for number in range(24)])
    assert sorted(filter(None, saved)) == FEW
    assert snapshot(services.settings.data_dir / "saver.db").misplaced(FEW) == {}
