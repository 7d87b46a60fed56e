"""Many threads and processes at once: no code is leased twice, no text is lost, no step is done by half."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Any, NamedTuple

import pytest
from flask import Flask
from sqlalchemy import event

from saver import create_app
from saver.app import Services
from saver.codes import Code
from saver.seal import Keys, Seal
from saver.store import NoTextError, PoolEmptyError, TextStore
from tests.conftest import ALL_DATABASES, Clock, address_of, settings_in
from tests.support.process import wait_until
from tests.support.snapshot import Database, execute, query, snapshot
from tests.support.texts import save
from tests.support.threads import TIMEOUT, run_concurrently

DATABASES = ALL_DATABASES

PROCESSES, THREADS = 4, 4
DAY = 86_400
LONG_AGO, FAR_AHEAD = 1, 4_000_000_000
POOL = [Code.nth(number * 12_345) for number in range(300)]


class Saved(NamedTuple):
    """A text that was acknowledged."""

    code: Code
    body: str
    owner_token: str


@pytest.fixture
def codes() -> list[str]:
    return list(POOL)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that share no connections and no locks with this one."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as executor:
        # All processes have started before the first race begins.
        list(executor.map(time.sleep, [0.2] * PROCESSES, timeout=TIMEOUT))
        yield executor


class Place(NamedTuple):
    """The database of a process, and the folder of its other files."""

    folder: Path
    database: Database


@pytest.fixture
def place(tmp_path: Path, database: Database) -> Place:
    """A database with the free codes of these tests, for processes with the real clock."""
    return Place(tmp_path / "data", database)


def leases_in(place: Place, rest: int = DAY) -> TextStore:
    settings = settings_in(place.folder, code_cooldown=rest, threads=THREADS, **address_of(place.database))
    services: Services = create_app(settings).extensions["saver"]
    return services.store


def save_many(store: TextStore, writer: str, count: int) -> list[Saved]:
    """What was saved before no code was free; continues to ask, to compete with the others."""
    saved = []
    for number in range(count):
        body = f"text {number} of {writer}"
        try:
            lease = save(store, body, 3_600)
        except PoolEmptyError:
            continue
        assert store.load(lease.code).text == body
        saved.append(Saved(lease.code, body, lease.owner_token))
    return saved


def save_many_in_a_process(place: Place, process: int, count: int) -> list[Saved]:
    store = leases_in(place)
    works = [partial(save_many, store, f"{process}.{thread}", count) for thread in range(THREADS)]
    return [saved for found in run_concurrently(works) for saved in found]


def assert_none_is_lost(store: TextStore, saved: list[Saved]) -> None:
    assert len({text.code for text in saved}) == len(saved), "a code is under two texts"
    assert {text.code: store.load(text.code).text for text in saved} == {
        text.code: text.body for text in saved
    }


def test_sixteen_threads_share_the_pool_to_its_last_code(
    make_app: Callable[..., Flask], database: Database
) -> None:
    store: TextStore = make_app(threads=16).extensions["saver"].store
    works = [partial(save_many, store, str(thread), 25) for thread in range(16)]
    saved = [text for found in run_concurrently(works) for text in found]
    assert len(saved) == len(POOL)
    assert_none_is_lost(store, saved)
    assert snapshot(database).misplaced(POOL) == {}


def test_four_processes_share_the_pool_to_its_last_code(processes: ProcessPoolExecutor, place: Place) -> None:
    races = [processes.submit(save_many_in_a_process, place, process, 25) for process in range(PROCESSES)]
    saved = [text for race in races for text in race.result(TIMEOUT)]
    assert len(saved) == len(POOL)
    assert_none_is_lost(leases_in(place), saved)
    assert snapshot(place.database).misplaced(POOL) == {}


def mixed(store: TextStore, process: int) -> list[Saved]:
    """Two writers, one that deletes what they give it, one that sweeps; returns the texts that must stay."""
    to_delete: SimpleQueue[Saved | None] = SimpleQueue()
    busy = [True]

    def write(writer: str, seed: int) -> list[Saved]:
        random = Random(seed)
        remaining: list[Saved] = []
        try:
            for saved in save_many(store, writer, 60):
                if len(remaining) < 30 and random.random() < 0.5:
                    remaining.append(saved)
                else:
                    to_delete.put(saved)
        finally:
            to_delete.put(None)
        return remaining

    def delete() -> list[Saved]:
        try:
            for _writer in range(2):
                for saved in iter(lambda: to_delete.get(timeout=TIMEOUT), None):
                    store.delete(saved.code, saved.owner_token)
                    assert not_here(store, saved)
        finally:
            busy.clear()
        return []

    def sweep() -> list[Saved]:
        while busy:
            store.sweep(7)
        return []

    works: list[Callable[[], list[Saved]]] = [
        partial(write, f"{process}.{seed}", seed) for seed in (2 * process, 2 * process + 1)
    ]
    return [saved for found in run_concurrently([*works, delete, sweep]) for saved in found]


def not_here(store: TextStore, saved: Saved) -> bool:
    """Whether the text is gone; its code may already belong to another text."""
    try:
        return store.load(saved.code).text != saved.body
    except NoTextError:
        return True


def mixed_in_a_process(place: Place, process: int) -> list[Saved]:
    return mixed(leases_in(place, rest=0), process)


def test_writers_deleters_and_sweepers_do_not_harm_each_other(
    processes: ProcessPoolExecutor, place: Place
) -> None:
    races = [processes.submit(mixed_in_a_process, place, process) for process in range(PROCESSES)]
    while not all(race.done() for race in races):
        assert snapshot(place.database).misplaced(POOL) == {}
    remaining = [text for race in races for text in race.result(TIMEOUT)]
    store = leases_in(place, rest=0)
    assert_none_is_lost(store, remaining)

    def only_the_remaining_are_leased() -> bool:
        sweep_all(store)
        return len(snapshot(place.database).leased) == len(remaining)

    # A cool-down of 0 ends with the second in which a text was deleted.
    wait_until(only_the_remaining_are_leased, "codes are not given back")
    found = snapshot(place.database)
    assert found.misplaced(POOL) == {}
    assert sorted(found.leased) == sorted(text.code for text in remaining)


def put_texts(database: Database) -> None:
    """Texts in every state that a sweep can find, the same in every database."""
    states = [
        ("body", LONG_AGO, LONG_AGO),
        ("body", LONG_AGO, FAR_AHEAD),
        ("body", FAR_AHEAD, FAR_AHEAD),
        (None, LONG_AGO, LONG_AGO),
        (None, LONG_AGO, FAR_AHEAD),
    ]
    rows = [(code, bytes(32), *states[number % len(states)]) for number, code in enumerate(POOL)]
    execute(database, "DELETE FROM code")
    execute(
        database,
        "INSERT INTO text (code, owner_hash, body, expires_at, free_at) VALUES (?, ?, ?, ?, ?)",
        rows,
    )


def sweep_all(store: TextStore) -> tuple[int, int]:
    wiped = freed = 0
    more = True
    while more:
        swept = store.sweep(7)
        wiped, freed, more = wiped + swept.wiped, freed + swept.freed, swept.more
    return wiped, freed


def sweep_all_in_a_process(place: Place) -> tuple[int, int]:
    works = [partial(sweep_all, leases_in(place))] * THREADS
    done = run_concurrently(works)
    return sum(wiped for wiped, _ in done), sum(freed for _, freed in done)


def contents(database: Database) -> list[Any]:
    tables = ("SELECT * FROM code ORDER BY code", "SELECT * FROM text ORDER BY code")
    return [query(database, table) for table in tables]


def test_many_sweepers_equal_one(
    processes: ProcessPoolExecutor,
    place: Place,
    make_app: Callable[..., Flask],
    make_database: Callable[[str], Database],
) -> None:
    alone: Services = make_app("alone").extensions["saver"]
    databases = [make_database("alone"), place.database]
    for database in databases:
        put_texts(database)
    one = sweep_all(alone.store)
    races = [processes.submit(sweep_all_in_a_process, place) for _ in range(PROCESSES)]
    many = [race.result(TIMEOUT) for race in races]
    assert one == (120, 120)
    assert tuple(map(sum, zip(*many, strict=True))) == one
    assert contents(databases[0]) == contents(databases[1])
    assert snapshot(databases[0]).misplaced(POOL) == {}


@pytest.mark.databases("sqlite")
def test_every_code_is_in_one_place_before_each_statement(
    store: TextStore, database: Database, clock: Clock
) -> None:
    """What others see between any two statements, which is also what a kill there would leave."""
    statements: list[str] = []
    found: dict[str, Any] = {}

    def look(statement: str) -> None:
        statements.append(statement)
        if misplaced := snapshot(database).misplaced(POOL):
            found.setdefault(statement, misplaced)

    @event.listens_for(store.database.engine, "checkout")
    def watch(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(look)

    saved = [save(store, f"text {number}", 60) for number in range(6)]
    store.delete(saved[0].code, saved[0].owner_token)
    store.remove(saved[1].code)
    for _ in range(3):
        store.sweep(4)
        clock.tick(DAY)
    save(store, "text", 60)
    assert found == {}
    assert {"BEGIN IMMEDIATE", "COMMIT"} <= set(statements)
    assert len(snapshot(database).leased) == 1


def test_a_code_that_is_leased_anew_while_a_password_is_derived_is_a_miss(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    store: TextStore = make_app(code_cooldown=0).extensions["saver"].store
    mine = save(store, "mine", 60, "password")
    deriver = store.deriver
    derive = deriver.derive

    def slow(password: str, seal: Seal) -> Keys:
        store.delete(mine.code, mine.owner_token)
        store.sweep(10)
        while save(store, "a stranger's", 60).code != mine.code:
            pass
        return derive(password, seal)

    monkeypatch.setattr(deriver, "derive", slow)
    with pytest.raises(NoTextError):
        store.load(mine.code, "password")
