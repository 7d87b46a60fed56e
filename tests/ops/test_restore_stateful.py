"""After any steps and a restore, with or without the old database, no code opens another user's text."""

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
from tests.support.service_with_backups import REST, ServiceWithBackups
from tests.support.snapshot import query, snapshot
from tests.support.texts import extend, save

STEPS = st.lists(
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


class Model:
    """The answers of the service, and what follows from them after any restore."""

    def __init__(self, service: ServiceWithBackups) -> None:
        self.service = service
        self.store: list[tuple[str, str, str]] = []
        self.rests_until: dict[str, float] = {}
        self.deleted: set[str] = set()
        self.burnt: set[str] = set()

    def do(self, step: str, value: int) -> None:
        service = self.service
        if step == "pass":
            service.clock.tick(value)
            service.sweep()
        elif step in {"save", "once"}:
            self._save(value, once=step == "once")
        elif self.store:
            code, body, token = self.store[value % len(self.store)]
            getattr(self, f"_{step}")(code, body, token)

    def _save(self, life: int, *, once: bool) -> None:
        body = f"text {len(self.store)}"
        try:
            lease = save(self.service.store, body, life, once=once)
        except PoolEmptyError:
            return
        assert self.rests_until.get(lease.code, 0) <= self.service.clock.now
        self.store.append((lease.code, body, lease.owner_token))
        self.rests_until[lease.code] = lease.expires_at + REST

    def _delete(self, code: str, body: str, token: str) -> None:
        try:
            self.service.store.delete(Code.parse(code), token)
        except NoTextError:
            return
        self.deleted.add(body)
        # Answered at once: the cool-down begins with the deletion, not with the lease.
        if self.leases_of(code)[-1][1] == body:
            self.rests_until[code] = min(self.rests_until[code], self.service.clock.now + REST)

    def _extend(self, code: str, _body: str, token: str) -> None:
        try:
            until = extend(self.service.store, Code.parse(code), token, 5_000)
        except NoTextError:
            return
        self.rests_until[code] = until + REST

    def _read(self, code: str, _body: str = "", _token: str = "") -> str | None:
        found = self.service.reads(code)
        assert found not in self.deleted | self.burnt
        if found and query(self.service.database, "SELECT ended FROM text WHERE code = ?", code) == [
            ("read",)
        ]:
            self.burnt.add(found)
            self.rests_until[code] = min(self.rests_until[code], self.service.clock.now + REST)
        return found

    def leases_of(self, code: str) -> list[tuple[str, str, str]]:
        return [lease for lease in self.store if lease[0] == code]

    def holds(self) -> None:
        """A code opens the text for which it was leased last, or nothing."""
        for code in {code for code, _, _ in self.store}:
            assert self._read(code) in (None, self.leases_of(code)[-1][1])
        for code in snapshot(self.service.database).free:
            assert self.rests_until.get(code, 0) <= self.service.clock.now


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=STEPS, since=STEPS, later=st.sampled_from([0, 60, REST]), lost=st.booleans())
def test_no_code_opens_another_users_text_after_a_restore(
    make_app: Callable[..., Flask], tmp_path_factory: pytest.TempPathFactory, codes: list[str],
    before: list[tuple[str, int]], since: list[tuple[str, int]], later: int, lost: bool, tmp_path: Path,
    clock: Clock,
) -> None:  # fmt: skip
    clock.now = NOW
    name = tmp_path_factory.mktemp("steps").name
    model = Model(ServiceWithBackups(make_app, clock, tmp_path, name))
    service = model.service
    for step, value in before:
        model.do(step, value)
    backup = service.backup()
    for step, value in since:
        model.do(step, value)
    service.clock.tick(later)
    if lost:
        service.lose()
        # Without the old database deleted texts are back, but one-time texts never are.
        model.deleted.clear()
    service.restore(backup, lost=lost)
    assert snapshot(service.database).misplaced(codes) == {}
    assert query(service.database, "PRAGMA integrity_check") == [("ok",)]
    held = "SELECT count(*) FROM text WHERE body IS NOT NULL AND expires_at <= ?"
    assert query(service.database, held, service.clock.now) == [(0,)]
    model.holds()
    service.clock.tick(REST)
    service.sweep()
    model.holds()
    service.close()
