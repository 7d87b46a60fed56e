"""Live transfers: ``saver.live_transfer`` with this program's HTTP, prompts and state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any, TypeVar

from saver.client.errors import LiveError, UsageError
from saver.client.http import Transport
from saver.client.state import State
from saver.clock import Clock
from saver.live_transfer.attempts import Attempt, Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.codes import BadLiveCodeError, LiveCode
from saver.live_transfer.errors import SameLettersError, WrongLettersError
from saver.live_transfer.exchange import Role
from saver.live_transfer.meeting import LIFETIME_SECONDS, Tools
from saver.live_transfer.messages import Messages

Result = TypeVar("Result")

_KIND = "attempts"


class Live:
    """One side of a live transfer at a service."""

    def __init__(self, service: str, transport: Transport, state: State, clock: Clock) -> None:
        self._clock = clock
        messages = Messages(transport, time.sleep)
        self._tools = Tools(messages, service, SystemRandom(), time.monotonic)
        self._service = service
        self._state = state

    def open(self, role: Role) -> Maker:
        """Open a meeting in which this side has a role."""
        return Maker.open(self._tools, role)

    def join(
        self, given: str, ask_again: Callable[[str], str] | None, transfer: Callable[[Joiner], Result]
    ) -> Result:
        """Join the meeting of a live code; ask again for wrong letters, if somebody can be asked.

        Raises LiveTransferError, and UsageError for what is not a live code.
        """
        while True:
            code = _parsed(given)
            try:
                return transfer(Joiner(self._tools, code, self._attempts()))
            except (WrongLettersError, SameLettersError) as error:
                if ask_again is None or getattr(error, "tries_left", 1) < 1:
                    raise LiveError(str(error)) from None
                given = ask_again(str(error))

    def _attempts(self) -> Attempts:
        """What was tried before, also by an earlier run."""
        stored = self._state.get(_KIND, self._service).get("made")
        made = [Attempt(int(number), str(letters), float(at)) for number, letters, at in _triples(stored)]
        return Attempts(self._clock, made, self._store)

    def _store(self, made: Sequence[Attempt]) -> None:
        until = self._clock() + LIFETIME_SECONDS
        self._state.put(_KIND, self._service, until=until, made=[list(attempt) for attempt in made])


def _triples(stored: object) -> list[list[Any]]:
    return [each for each in stored if len(each) == 3] if isinstance(stored, list) else []


def _parsed(given: str) -> LiveCode:
    try:
        return LiveCode.parse(given)
    except BadLiveCodeError as error:
        raise UsageError(f"The live code {error}.") from None
