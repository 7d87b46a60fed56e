"""Any sequence of messages of live transfers: what the two learn is what the other one has sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from saver.app import Services
from saver.codes import Code
from saver.meetings import NoMeetingError, PollResult
from saver.store import MeetingStore
from tests.conftest import Clock

TOKENS = [bytes([number] * 16) for number in range(4)]
tokens, numbers = st.sampled_from(TOKENS), st.integers(1, 3)
ROLES = ("sender", "receiver")


@dataclass
class Expected:
    """What the model knows of a meeting."""

    maker: bytes
    role: str
    expires_at: int
    wrong: int = 0
    session: bytes | None = None
    answer: tuple[bytes, bytes, bytes] | None = None
    tag: bytes | None = None
    code: str | None = None
    ended: bool = False
    old_sessions: set[bytes] = field(default_factory=set)

    def seen_by(self, token: bytes) -> PollResult | None:
        joiner = self.answer[0] if self.answer else None
        if self.ended or token not in (self.maker, joiner):
            return None
        if self.answer is None:
            return PollResult("waiting")
        if self.tag is None:
            return PollResult("answered", *(self.answer[1:] if token == self.maker else ()))
        receives = (token == self.maker) == (self.role == "receiver")
        return PollResult(
            "confirmed", None, None if token == self.maker else self.tag, self.code if receives else None
        )


class MeetingMachine(RuleBasedStateMachine):
    store: MeetingStore
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.clock.now += 1_000
        self.random = Random(5)
        self.meetings: dict[int, Expected] = {}

    def there(self, number: int) -> Expected | None:
        found = self.meetings.get(number)
        return found if found and not found.ended else None

    def passes(self, message: Callable[[], object], *, expected: bool) -> None:
        try:
            message()
        except NoMeetingError:
            assert not expected
        else:
            assert expected

    @rule(token=tokens, role=st.sampled_from(ROLES))
    def open(self, token: bytes, role: str) -> None:
        same = [number for number, one in self.meetings.items() if one.maker == token]
        if same:
            one = self.meetings[same[0]]
            fits = not one.ended and one.role == role
            self.passes(lambda: self.store.open(token, role), expected=fits)  # type: ignore[arg-type]
            return
        number = self.store.open(token, role).number  # type: ignore[arg-type]
        assert number == min({*range(1, 10)} - self.meetings.keys())
        self.meetings[number] = Expected(token, role, int(self.clock.now) + 600)

    @rule(token=tokens, number=numbers)
    def offer(self, token: bytes, number: int) -> None:
        one, session = self.there(number), self.random.randbytes(16)
        fits = bool(one and one.maker == token and one.tag is None)
        if one and fits and one.answer:
            one.wrong += 1
            one.ended = one.wrong == 3
        is_open = bool(fits and one and not one.ended)
        self.passes(lambda: self.store.offer(number, token, session, session * 2), expected=is_open)
        if one and is_open:
            if one.session:
                one.old_sessions.add(one.session)
            one.session, one.answer = session, None

    @rule(token=tokens, number=numbers, is_old=st.booleans())
    def answer(self, token: bytes, number: int, is_old: bool) -> None:
        one = self.there(number)
        current = (one and one.session) or bytes(16)
        old = next(iter(one.old_sessions), bytes(16)) if one else bytes(16)
        session, share, tag = (
            old if is_old else current,
            self.random.randbytes(32),
            self.random.randbytes(64),
        )
        fits = bool(one and session == one.session and not one.answer and token != one.maker)
        self.passes(lambda: self.store.answer(number, token, session, share, tag), expected=fits)
        if one and fits:
            one.answer = (token, share, tag)

    @rule(token=tokens, number=numbers)
    def confirm(self, token: bytes, number: int) -> None:
        one, tag = self.there(number), self.random.randbytes(64)
        session = (one and one.session) or bytes(16)
        fits = bool(one and one.answer and token == one.maker and one.tag is None)
        self.passes(lambda: self.store.confirm(number, token, session, tag), expected=fits)
        if one and fits:
            one.tag = tag

    @rule(token=tokens, number=numbers, code=st.sampled_from(["aaaa", "wUrp"]))
    def deliver(self, token: bytes, number: int, code: str) -> None:
        one = self.there(number)
        sender = one and (one.maker if one.role == "sender" else one.answer and one.answer[0])
        fits = bool(one and one.tag and token == sender and one.code in (None, code))
        self.passes(lambda: self.store.deliver(number, token, Code(code)), expected=fits)
        if one and fits:
            one.code = code

    @rule(token=tokens, number=numbers)
    def close(self, token: bytes, number: int) -> None:
        one = self.there(number)
        joiner = one.answer[0] if one and one.tag and one.answer else None
        fits = bool(one and token in (one.maker, joiner))
        self.passes(lambda: self.store.close(number, token), expected=fits)
        if one and fits:
            one.ended = True

    @rule(seconds=st.sampled_from([1, 299, 600]))
    def tick(self, seconds: int) -> None:
        self.clock.tick(seconds)
        for number, one in list(self.meetings.items()):
            if one.expires_at <= self.clock.now:
                del self.meetings[number]

    @invariant()
    def everybody_sees_what_is_for_them(self) -> None:
        for number in range(1, 4):
            one = self.there(number)
            for token in TOKENS:
                expected = one.seen_by(token) if one else None
                try:
                    seen = self.store.poll(number, token)[1]
                except NoMeetingError:
                    assert expected is None
                else:
                    assert seen == expected


def test_any_sequence_of_messages(make_app: Callable[..., Flask], clock: Clock) -> None:
    services: Services = make_app().extensions["saver"]
    machine = type("Machine", (MeetingMachine,), {"store": services.store.meetings, "clock": clock})
    options = settings(
        max_examples=60,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=options)
