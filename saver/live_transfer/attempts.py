"""Which letters a joiner has tried: each number takes three of them, and the same ones once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from saver.live_transfer.codes import LiveCode
from saver.live_transfer.errors import SameLettersError, WrongLettersError

_LIFETIME_SECONDS = 600
_MAX_ATTEMPTS = 3


class Attempt(NamedTuple):
    """Letters for which a tag was sent; ``at`` is in UTC seconds."""

    number: int
    letters: str
    at: float


class Attempts:
    """The attempts that count. ``store`` keeps them; it is called before a tag is sent."""

    def __init__(
        self,
        clock: Callable[[], float],
        made: Sequence[Attempt] = (),
        store: Callable[[Sequence[Attempt]], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._made = tuple(made)
        self._store = store

    def record(self, code: LiveCode) -> None:
        """Count an attempt. Raises SameLettersError, and WrongLettersError if three were made."""
        now = self._clock()
        # The meeting of an older one has ended.
        made = [attempt for attempt in self._made if attempt.at > now - _LIFETIME_SECONDS]
        letters = [attempt.letters for attempt in made if attempt.number == code.number]
        if code.letters in letters:
            raise SameLettersError
        if len(letters) >= _MAX_ATTEMPTS:
            raise WrongLettersError(0)
        self._keep([*made, Attempt(code.number, code.letters, now)])

    def forget(self, number: int) -> None:
        """A transfer has succeeded: the number will belong to another meeting."""
        self._keep([attempt for attempt in self._made if attempt.number != number])

    def _keep(self, made: Sequence[Attempt]) -> None:
        self._made = tuple(made)
        self._store(self._made)
