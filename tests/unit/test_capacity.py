"""The model of bench/capacity: its closed forms, its simulation, and the real Leases agree."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import deque
from random import Random

import pytest
from flask import Flask
from sqlalchemy import delete, insert

from bench.codespace import DAY, HOUR, Kind, Service, draw_cost, guessed, simulate
from saver.app import Services
from saver.codes import SPACE, Code
from saver.database.tables import code as pool
from saver.database.tables import text
from saver.store import PoolEmptyError, StoredText, TextStore, allocate
from tests.conftest import Clock
from tests.support.server import ROOT
from tests.support.texts import save

CODES = 600
SWEEP_EVERY = 5
# Half of the texts live 30 s; of the others, which live 90 s, half are deleted after 20.
HALVES = (Kind(0.5, 30), Kind(0.5, 90, ending=0.5, after=20))
MIX = (Kind(0.7, 600), Kind(0.2, HOUR), Kind(0.1, DAY))
REST = 90
TEXT = {
    "body": "x",
    "owner_hash": bytes(32),
    "once": False,
    "saved_at": 1,
    "expires_at": 2,
    "free_at": 3,
    "size": 1,
}


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 7_001) for number in range(CODES)]


@pytest.fixture
def store(make_app) -> TextStore:  # type: ignore[no-untyped-def]
    app: Flask = make_app(code_cooldown=REST)
    services: Services = app.extensions["saver"]
    return services.store


def test_the_space_carries_what_a_life_and_a_rest_leave_of_it() -> None:
    assert Service(1, (Kind(1, 600),)).most == pytest.approx(SPACE / 87_000)
    assert Service(1, (Kind(1, DAY),)).most == pytest.approx(42.31, abs=0.01)
    assert Service(100, (Kind(1, 600),), rest=0).live == Service(100, (Kind(1, 600),), rest=0).taken == 60_000


@pytest.mark.parametrize("swing", [0, 0.8])
@pytest.mark.parametrize("kinds", [MIX, (Kind(1, 600),), (Kind(1, DAY, ending=0.9, after=HOUR),)])
def test_a_simulated_service_settles_where_the_closed_form_says(
    kinds: tuple[Kind, ...], swing: float
) -> None:
    service = Service(20, kinds, swing=swing)
    last_day = simulate(service, 4 * DAY, Random(6))[-DAY // 60 :]
    assert statistics.mean(SPACE - seen.free for seen in last_day) == pytest.approx(service.taken, rel=0.01)
    assert statistics.mean(seen.live for seen in last_day) == pytest.approx(service.live, rel=0.02)
    assert sum(seen.refused for seen in last_day) == 0


def test_a_service_beyond_the_space_refuses_what_the_closed_form_says() -> None:
    service = Service(130, (Kind(1, 600),))
    last_days = simulate(service, 6 * DAY, Random(6))[-3 * DAY // 60 :]
    written, refused = (sum(getattr(seen, what) for seen in last_days) for what in ("written", "refused"))
    assert refused / (written + refused) == pytest.approx(service.refused, rel=0.03)
    assert min(seen.free for seen in last_days) == 0


def test_a_simulation_loses_no_code() -> None:
    service = Service(300, MIX, rest=HOUR, space=500_000)
    seen = simulate(service, 3 * DAY, Random(6))
    assert all(0 <= step.free <= service.space and step.live >= 0 for step in seen)
    written = sum(step.written for step in seen)
    assert written > 10 * service.space


@pytest.mark.parametrize("rate", [3, 8])
def test_the_real_leases_settle_where_the_model_says(store: TextStore, clock: Clock, rate: int) -> None:
    """Below what the codes carry, and beyond it."""
    # A code waits half a turn of the worker's, on the average, until it is given back.
    service = Service(rate, HALVES, rest=REST + SWEEP_EVERY // 2, space=CODES)
    refused, taken, live = _drive(store, clock, rate, 400)
    assert refused == pytest.approx(rate * service.refused, abs=0.03 * rate)
    assert taken == pytest.approx(min(CODES, service.taken), rel=0.03)
    assert live == pytest.approx(service.live * (1 - service.refused), rel=0.05)


def _drive(store: TextStore, clock: Clock, rate: int, seconds: int) -> tuple[float, float, float]:
    """Write at a rate; of the last 150 s refusals a second, codes taken, texts that live."""
    random, early = Random(6), deque[tuple[int, StoredText]]()
    seen: list[tuple[int, int, int]] = []
    for second in range(seconds):
        clock.tick(1)
        while early and early[0][0] <= second:
            lease = early.popleft()[1]
            store.delete(lease.code, lease.owner_token)
        refused = 0
        for _ in range(rate):
            kind = random.choices(HALVES, [kind.share for kind in HALVES])[0]
            try:
                lease = save(store, "x", kind.life)
            except PoolEmptyError:
                refused += 1
            else:
                if random.random() < kind.ending:
                    early.append((second + kind.after, lease))
        if second % SWEEP_EVERY == 0:
            store.sweep(CODES)
        counted = store.audit()
        assert counted.free + counted.live + counted.overdue + counted.resting == CODES
        seen.append((refused, CODES - counted.free, counted.live))
    refusals, taken, live = (statistics.mean(column) for column in zip(*seen[-150:], strict=True))
    return refusals, taken, live


@pytest.mark.parametrize("free", [1_000, 250, 40])
def test_a_real_draw_costs_what_the_model_says(
    app: Flask, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    """A space of 2,000 codes; each code that is drawn is put back."""
    space, draws = 2_000, 1_500
    monkeypatch.setattr(allocate, "SPACE", space)
    looked: list[str] = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    row = {column.name: None for column in text.c if column.name != "code"} | TEXT
    with engine.begin() as connection:
        connection.execute(delete(pool))
        chosen = Random(3).sample(range(space), free)
        connection.execute(insert(pool), [{"code": Code.nth(number)} for number in chosen])
        connection.connection.driver_connection.set_trace_callback(looked.append)
        draw_one = allocate.CodeAllocator(engine, Random(6))
        # The free ones are few in all, but the model is asked for what happens before they are counted.
        draw_one._plan = draw_one._plan._replace(few=0)
        for _ in range(draws):
            leased = draw_one(connection, row)
            connection.execute(delete(text).where(text.c.code == leased))
            connection.execute(insert(pool), {"code": leased})
    rounds = sum(" IN (" in statement for statement in looked) / draws
    counted = sum("count(*)" in statement for statement in looked) / draws
    model = draw_cost(free, space, few=0)
    assert 1 + rounds * 64 == pytest.approx(model.codes, rel=0.05)
    assert counted == pytest.approx(model.counting, abs=0.01)


def test_a_guess_hits_as_many_as_live() -> None:
    assert guessed(1_000, 200) == pytest.approx(1 / 36.6, rel=0.01)


def test_the_script_plays_a_service_of_ones_own() -> None:
    command = [sys.executable, ROOT / "bench" / "capacity", "--rate", "30", "--rest", "3600", "--swing", "0"]
    said = subprocess.run([*command, "--mix", "600:1"], capture_output=True, text=True, check=True).stdout
    taken, played = (int(cell.replace(",", "")) for cell in said.splitlines()[-1].split("|")[3:5])
    assert taken == 126_000
    assert played == pytest.approx(taken, rel=0.01)
    refused = subprocess.run([*command, "--mix", "600:0.5"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "the parts must make 1" in refused.stderr
