"""Whatever happened before a restore, with or without the old database: nobody finds a stranger's text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saver.codes import Code
from saver.store import NoTextError, PoolEmptyError
from tests.conftest import NOW, Clock
from tests.support.restoring import REST, House
from tests.support.snapshot import ask, snapshot
from tests.support.texts import extend, save

DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.sampled_from([60, 600, 5_000])),
        st.tuples(st.just("once"), st.sampled_from([600])),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("extend"), st.integers(0, 9)),
        st.tuples(st.just("read"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.sampled_from([1, 59, 600, 3_600, REST])),
    ),
    max_size=12,
)


class Told:
    """What people were told, and so what must hold whatever is restored."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.store: list[tuple[str, str, str]] = []
        self.rests_until: dict[str, float] = {}
        self.deleted: set[str] = set()
        self.burnt: set[str] = set()

    def do(self, deed: str, value: int) -> None:
        house = self.house
        if deed == "pass":
            house.clock.tick(value)
            house.sweep()
        elif deed in {"save", "once"}:
            self._save(value, once=deed == "once")
        elif self.store:
            code, body, token = self.store[value % len(self.store)]
            getattr(self, f"_{deed}")(code, body, token)

    def _save(self, life: int, *, once: bool) -> None:
        body = f"text {len(self.store)}"
        try:
            lease = save(self.house.store, body, life, once=once)
        except PoolEmptyError:
            return
        assert self.rests_until.get(lease.code, 0) <= self.house.clock.now
        self.store.append((lease.code, body, lease.owner_token))
        self.rests_until[lease.code] = lease.expires_at + REST

    def _delete(self, code: str, body: str, token: str) -> None:
        try:
            self.house.store.delete(Code.parse(code), token)
        except NoTextError:
            return
        self.deleted.add(body)
        # Told at once; that it rests is a matter of the deletion, not of the lease.
        if self.leases_of(code)[-1][1] == body:
            self.rests_until[code] = min(self.rests_until[code], self.house.clock.now + REST)

    def _extend(self, code: str, _body: str, token: str) -> None:
        try:
            until = extend(self.house.store, Code.parse(code), token, 5_000)
        except NoTextError:
            return
        self.rests_until[code] = until + REST

    def _read(self, code: str, _body: str = "", _token: str = "") -> str | None:
        found = self.house.reads(code)
        assert found not in self.deleted | self.burnt
        if found and ask(self.house.database, "SELECT ended FROM text WHERE code = ?", code) == [("read",)]:
            self.burnt.add(found)
            self.rests_until[code] = min(self.rests_until[code], self.house.clock.now + REST)
        return found

    def leases_of(self, code: str) -> list[tuple[str, str, str]]:
        return [lease for lease in self.store if lease[0] == code]

    def holds(self) -> None:
        """Whoever shows a code finds the text that it was given for last, or nothing."""
        for code in {code for code, _, _ in self.store}:
            assert self._read(code) in (None, self.leases_of(code)[-1][1])
        for code in snapshot(self.house.database).free:
            assert self.rests_until.get(code, 0) <= self.house.clock.now


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=DEEDS, since=DEEDS, later=st.sampled_from([0, 60, REST]), lost=st.booleans())
def test_whatever_happened_nobody_finds_a_strangers_text(
    make_app: Callable[..., Flask], tmp_path_factory: pytest.TempPathFactory, codes: list[str],
    before: list[tuple[str, int]], since: list[tuple[str, int]], later: int, lost: bool, tmp_path: Path,
    clock: Clock,
) -> None:  # fmt: skip
    clock.now = NOW
    name = tmp_path_factory.mktemp("walk").name
    told = Told(House(make_app, clock, tmp_path, name))
    house = told.house
    for deed, value in before:
        told.do(deed, value)
    backup = house.backup()
    for deed, value in since:
        told.do(deed, value)
    house.clock.tick(later)
    if lost:
        house.lose()
        # Nobody remembers what was deleted. What may be read once never comes back.
        told.deleted.clear()
    house.restore(backup, lost=lost)
    assert snapshot(house.database).misplaced(codes) == {}
    assert ask(house.database, "PRAGMA integrity_check") == [("ok",)]
    held = "SELECT count(*) FROM text WHERE body IS NOT NULL AND expires_at <= ?"
    assert ask(house.database, held, house.clock.now) == [(0,)]
    told.holds()
    house.clock.tick(REST)
    house.sweep()
    told.holds()
    house.close()
