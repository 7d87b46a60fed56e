"""Messages of live transfers at the same moment: of two that exclude each other one wins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask

from saver.store import TextStore
from tests.conftest import ALL_DATABASES
from tests.support.live import LiveClient, pair
from tests.support.threads import run_concurrently

DATABASES = ALL_DATABASES
AT_ONCE = 50
ROUNDS = 20


@pytest.fixture
def two_apps(make_app: Callable[..., Flask]) -> list[Flask]:
    """Two processes have nothing in common but the database; so have two apps."""
    return [make_app(threads=AT_ONCE // 2), make_app(threads=AT_ONCE // 2)]


def answer(joiner: LiveClient) -> int:
    return joiner.answer().status_code


def test_of_50_answers_one_wins(two_apps: list[Flask]) -> None:
    maker = LiveClient(two_apps[0].test_client(), 1)
    number = maker.open()
    maker.offer()
    joiners = [LiveClient(two_apps[seed % 2].test_client(), seed) for seed in range(2, 2 + AT_ONCE)]
    for joiner in joiners:
        assert joiner.join(number).status_code == 200
    statuses = run_concurrently([partial(answer, joiner) for joiner in joiners])
    assert Counter(statuses) == {204: 1, 404: AT_ONCE - 1}
    winner = joiners[statuses.index(204)]
    assert maker.poll().json["tag"] == winner.tag
    assert [one.poll().status_code == 200 for one in joiners] == [one is winner for one in joiners]


def test_50_that_open_at_once_have_50_numbers(two_apps: list[Flask]) -> None:
    makers = [LiveClient(two_apps[seed % 2].test_client(), seed) for seed in range(AT_ONCE)]
    assert sorted(run_concurrently([maker.open for maker in makers])) == list(range(1, AT_ONCE + 1))


def test_one_open_that_comes_many_times_at_once_is_one_meeting(two_apps: list[Flask]) -> None:
    makers = [LiveClient(two_apps[place % 2].test_client(), 1) for place in range(20)]
    assert set(run_concurrently([maker.open for maker in makers])) == {1}


def test_an_offer_and_an_answer_at_once(two_apps: list[Flask]) -> None:
    for seed in range(ROUNDS):
        maker, joiner = pair(two_apps[0].test_client(), seed)
        joiner.use(two_apps[1].test_client())
        number = maker.open()
        maker.offer()
        joiner.join(number)
        offered, answered = run_concurrently([maker.offer, joiner.answer])
        # Either the answer came first, and was wrong; or it came to a session that was replaced.
        assert (offered.status_code, answered.status_code, offered.json) in (
            (200, 204, {"tries_left": 2}),
            (200, 404, {"tries_left": 3}),
        )
        assert maker.poll().json["state"] == "waiting"
        assert joiner.join(number).json["tries_left"] == offered.json["tries_left"]


def test_a_confirmation_and_an_offer_at_once(two_apps: list[Flask]) -> None:
    for seed in range(ROUNDS):
        maker, joiner = pair(two_apps[0].test_client(), seed)
        again = LiveClient(two_apps[1].test_client(), 1_000 + seed)
        again.token, again.number = maker.token, maker.open()
        maker.offer()
        joiner.join(maker.number)
        joiner.answer()
        confirmed, offered = run_concurrently([maker.confirm, again.offer])
        statuses = {confirmed.status_code, offered.status_code}
        assert 404 in statuses
        assert statuses & {200, 204}
        state = "confirmed" if confirmed.status_code == 204 else "waiting"
        assert maker.poll().json["state"] == state


def test_sweeps_and_opens_at_once(two_apps: list[Flask]) -> None:
    stores: list[TextStore] = [app.extensions["saver"].store for app in two_apps]
    makers = [LiveClient(two_apps[seed % 2].test_client(), seed) for seed in range(20)]
    sweeps: list[Callable[[], object]] = [partial(store.sweep, 100) for store in stores * 5]
    opens: list[Callable[[], object]] = [maker.open for maker in makers]
    numbers = run_concurrently([*opens, *sweeps])[: len(opens)]
    assert {*numbers} == {*range(1, 21)}
