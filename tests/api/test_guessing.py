"""What strangers find by guessing: the figures that ``/api/v1/limits`` and the page show to everybody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from saver.app import Services
from saver.codes import SPACE, Code
from saver.store import TextStore
from tests.api.test_metrics import figures
from tests.conftest import ALL_DATABASES, Clock
from tests.support.snapshot import Database, out_of_reach
from tests.support.texts import save

DATABASES = ALL_DATABASES
EXPECTED, CHANCE = "expected_stranger_hits_per_day", "guess_chance_today"
# How long the figures are used again, in seconds.
MAX_AGE = 60
MISSES = 12
DAY = 86_400


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number) for number in range(140)]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(misses_a_day_in_all=1_000)


def miss(client: FlaskClient, times: int = MISSES) -> None:
    for _ in range(times):
        assert client.post("/api/v1/load", json={"code": "qqqq"}).status_code == 404


def shown(client: FlaskClient) -> tuple[float | None, float | None]:
    """The figures of ``/api/v1/limits``, which are those of the page."""
    limits = client.get("/api/v1/limits").json
    [embedded] = re.findall(r'id="limits">(.*?)</script>', client.get("/").text)
    assert json.loads(embedded) == limits
    return limits.get(EXPECTED), limits.get(CHANCE)


def counted(store: TextStore) -> list[str]:
    """A list that each count of the texts is added to."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "count(" in statement:
            statements.append(statement)

    event.listen(store.database.engine, "before_cursor_execute", note)
    return statements


@contextmanager
def held_count(store: TextStore) -> Iterator[Event]:
    """The count of the texts does not begin during the block; the event is set once it is asked for."""
    asked, released = Event(), Event()

    def hold(*_: object) -> None:
        asked.set()
        assert released.wait(30)

    event.listen(store.database.engine, "before_cursor_execute", hold)
    try:
        yield asked
    finally:
        released.set()


def test_the_figures_are_those_of_the_metrics_with_two_digits(
    client: FlaskClient, store: TextStore, clock: Clock
) -> None:
    for _ in range(123):
        save(store, "open", 3_600)
    save(store, "sealed", 3_600, "password")
    save(store, "short", 60)
    gone = save(store, "deleted", 3_600)
    store.delete(gone.code, gone.owner_token)
    clock.tick(60)
    assert store.count_open() == 123
    miss(client)
    exact = figures(client)["saver_expected_stranger_hits_per_day"]
    assert exact == pytest.approx(MISSES * 123 / SPACE)
    expected, chance = shown(client)
    assert expected == float(f"{exact:.1e}") == 2.0e-4
    assert chance == 1.6e-6 == pytest.approx(MISSES / SPACE, rel=0.05)


def test_nobody_sees_when_a_text_of_a_small_service_comes_and_goes(
    client: FlaskClient, store: TextStore, clock: Clock
) -> None:
    miss(client)
    before = shown(client)
    assert before == (float(f"{MISSES * 100 / SPACE:.1e}"), 1.6e-6)
    for _ in range(104):
        save(store, "open", 3_600)
        clock.tick(MAX_AGE / 104)
        assert shown(client) == before


def test_rounded_is_the_number_of_texts_and_not_only_the_result(
    client: FlaskClient, store: TextStore, clock: Clock
) -> None:
    """With more misses the other digits of a rounded product could be found out."""
    for _ in range(124):
        save(store, "open", 3_600)
    for _ in range(40):
        miss(client, 1)
        clock.tick(MAX_AGE)
        misses = figures(client)["saver_misses_today"]
        assert shown(client)[0] == float(f"{misses * 120 / SPACE:.1e}")


def test_without_misses_nothing_is_found_and_a_new_day_begins_at_nothing(
    client: FlaskClient, store: TextStore, clock: Clock
) -> None:
    save(store, "open", 2 * DAY)
    assert shown(client) == (0, 0)
    miss(client)
    clock.tick(MAX_AGE)
    assert shown(client) != (0, 0)
    clock.tick(DAY)
    assert shown(client) == (0, 0)


def test_texts_are_counted_once_a_minute_however_often_it_is_asked(
    client: FlaskClient, store: TextStore, clock: Clock
) -> None:
    statements = counted(store)
    miss(client)
    seen = {shown(client) for _ in range(10)}
    miss(client)
    clock.tick(MAX_AGE - 1)
    seen.add(shown(client))
    assert (len(seen), len(statements)) == (1, 1)
    clock.tick(1)
    seen.add(shown(client))
    assert (len(seen), len(statements)) == (2, 2)
    # A clock that was set back must not keep the figures until it has caught up.
    clock.tick(-DAY)
    shown(client)
    assert len(statements) == 3


def test_a_request_does_not_wait_for_another_that_counts(app: Flask, store: TextStore) -> None:
    miss(app.test_client())
    with ThreadPoolExecutor() as pool:
        with held_count(store) as asked:
            first = pool.submit(lambda: shown(app.test_client()))
            assert asked.wait(30)
            assert shown(app.test_client()) == (None, None)
        assert None not in first.result(30)
    assert None not in shown(app.test_client())


def test_without_a_database_the_limits_are_shown_without_the_figures(
    client: FlaskClient, database: Database, clock: Clock
) -> None:
    with out_of_reach(database):
        assert shown(client) == (None, None)
    clock.tick(MAX_AGE)
    assert shown(client) == (0, 0)


def test_without_counters_the_limits_are_shown_without_the_figures(
    client: FlaskClient, services: Services
) -> None:
    counters = services.settings.data_dir / "counts"
    counters.unlink(missing_ok=True)
    counters.symlink_to("elsewhere")
    assert client.post("/api/v1/load", json={"code": "qqqq"}).status_code == 503
    assert shown(client) == (None, None)


def test_misses_that_are_not_counted_are_not_taken_for_none(make_app: Callable[..., Flask]) -> None:
    assert shown(make_app(misses_a_day_in_all=0).test_client()) == (None, None)
