"""Any sequence of writes, loads, deletes, ticks and sweeps, compared with a dictionary.

The pool has four codes, so that each of them is leased again and again, and two
of them differ in case alone. So they show errors that seven million codes would hide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from saver import seal
from saver.app import Services
from saver.codes import Code
from saver.store import NoTextError, PoolEmptyError, TextStore
from tests.conftest import ALL_DATABASES, NOW, Clock
from tests.support.snapshot import Database, execute, put_codes, query, snapshot
from tests.support.texts import save

DATABASES = ALL_DATABASES

CODES = ["aaaa", "aAbB", "AaBb", "ZZZZ"]
REST = 100
PASSWORDS = ["right", "Right", "r\u00efght"]

codes_of_the_pool = st.sampled_from([Code(code) for code in CODES])
bodies = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
awkward = st.sampled_from(["a\r\nb\rc\n", "\ufeffbom", "e\u0301 nfd", "\U0001f469\u200d\U0001f467", " "])


@pytest.fixture
def codes() -> list[str]:
    return CODES


@pytest.fixture
def _quick_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the real key derivation with few iterations, to save time."""
    monkeypatch.setattr(seal, "ITERATIONS", 8)
    monkeypatch.setattr(seal, "MIN_ITERATIONS", 8)


@dataclass
class ExpectedText:
    """What the model knows of a text."""

    body: str
    password: str | None
    owner_token: str
    expires_at: int
    free_at: int


class TextStoreMachine(RuleBasedStateMachine):
    """The rules are the steps; the invariants hold after each of them."""

    def __init__(self, store: TextStore, clock: Clock, database: Database) -> None:
        super().__init__()
        self.store, self.clock, self.database = store, clock, database
        self.clock.now = NOW
        # Every run begins the same way, so that Hypothesis can repeat and shorten one that failed.
        self.store.random.seed(4)
        self.free = set(CODES)
        self.stored: dict[str, ExpectedText] = {}
        self.former_tokens: list[str] = []
        execute(database, "DELETE FROM text")
        execute(database, "DELETE FROM code")
        put_codes(database, CODES)

    @rule(
        body=bodies | awkward,
        lifetime=st.sampled_from([1, 60, 600]),
        password=st.none() | st.sampled_from(PASSWORDS),
    )
    def write(self, body: str, lifetime: int, password: str | None) -> None:
        if not self.free:
            with pytest.raises(PoolEmptyError):
                save(self.store, body, lifetime, password)
            return
        lease = save(self.store, body, lifetime, password)
        assert lease.code in self.free, "a code that is leased or resting was leased again"
        assert lease.expires_at == math.ceil(self.clock.now) + lifetime
        self.free.remove(lease.code)
        free_at = lease.expires_at + REST
        self.stored[lease.code] = ExpectedText(body, password, lease.owner_token, lease.expires_at, free_at)

    @rule(code=codes_of_the_pool, password=st.none() | st.sampled_from(PASSWORDS))
    def load_with_any_password(self, code: Code, password: str | None) -> None:
        stored = self.stored.get(code)
        opens = stored is not None and stored.password in (None, password)
        self.expect(code, password, stored.body if stored and opens and self.is_live(stored) else None)

    @rule(code=codes_of_the_pool)
    def delete_by_its_owner(self, code: Code) -> None:
        stored = self.stored.get(code)
        if stored is None:
            return
        self.store.delete(code, stored.owner_token)
        if self.is_live(stored):
            stored.expires_at = math.floor(self.clock.now)
            stored.free_at = math.ceil(self.clock.now) + REST

    @rule(code=codes_of_the_pool, data=st.data())
    def delete_by_a_stranger(self, code: Code, data: st.DataObject) -> None:
        others = [stored.owner_token for other, stored in self.stored.items() if other != code]
        token = data.draw(st.sampled_from(["", "x" * 22, *others, *self.former_tokens]))
        with pytest.raises(NoTextError):
            self.store.delete(code, token)

    @rule(seconds=st.sampled_from([0.001, 0.5, 1, 59, REST]))
    def tick(self, seconds: float) -> None:
        self.clock.tick(seconds)

    @precondition(lambda self: self.stored)
    @rule(data=st.data(), before=st.sampled_from([0, 0.001, 1]))
    def tick_to_an_edge(self, data: st.DataObject, before: float) -> None:
        """Move the clock to a moment when something ends; random times would hardly hit one."""
        edges = [edge for stored in self.stored.values() for edge in (stored.expires_at, stored.free_at)]
        self.clock.now = max(self.clock.now, data.draw(st.sampled_from(sorted(edges))) - before)

    @rule(max_rows=st.sampled_from([1, 2, 100]))
    def sweep(self, max_rows: int) -> None:
        swept = self.store.sweep(max_rows)
        given_back = set(snapshot(self.database).free) - self.free
        assert len(given_back) == swept.freed <= max_rows
        for code in given_back:
            stored = self.stored.pop(code)
            self.former_tokens.append(stored.owner_token)
            assert stored.free_at <= self.clock.now, "a code was given back before its rest was over"
        self.free |= given_back
        if not swept.more:
            self.nothing_is_left_to_sweep()

    def nothing_is_left_to_sweep(self) -> None:
        now = math.floor(self.clock.now)
        assert not [code for code, stored in self.stored.items() if stored.free_at <= now]
        held = "SELECT count(*) FROM text WHERE body IS NOT NULL AND expires_at <= ?"
        assert query(self.database, held, now) == [(0,)]
        before = query(self.database, "SELECT * FROM text ORDER BY code")
        again = self.store.sweep(100)
        assert (again.wiped, again.freed, again.more) == (0, 0, False)
        assert query(self.database, "SELECT * FROM text ORDER BY code") == before

    @invariant()
    def every_code_is_in_exactly_one_place(self) -> None:
        found = snapshot(self.database)
        assert found.misplaced(CODES) == {}
        assert (set(found.free), set(found.leased)) == (self.free, set(self.stored))

    @invariant()
    def a_text_is_served_until_its_last_instant_and_not_after(self) -> None:
        for code in map(Code, CODES):
            stored = self.stored.get(code)
            live = stored is not None and self.is_live(stored)
            self.expect(code, stored.password if stored else None, stored.body if stored and live else None)

    def is_live(self, stored: ExpectedText) -> bool:
        return self.clock.now < stored.expires_at

    def expect(self, code: Code, password: str | None, body: str | None) -> None:
        loaded = None
        with suppress(NoTextError):
            loaded = self.store.load(code, password).text
        assert loaded == body


@pytest.mark.usefixtures("_quick_seal")
def test_every_sequence_of_steps_agrees_with_the_model(
    make_app: Callable[..., Flask], clock: Clock, database: Database
) -> None:
    services: Services = make_app(code_cooldown=REST).extensions["saver"]

    class ThisStoreMachine(TextStoreMachine):
        def __init__(self) -> None:
            super().__init__(services.store, clock, database)

    run_state_machine_as_test(
        ThisStoreMachine,
        settings=settings(
            max_examples=100,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
