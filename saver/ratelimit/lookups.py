"""A look-up of a caller: charged before its request is parsed, settled by what it finds.

Every look-up is charged as a miss and refunded when it is none, so look-ups that run
at the same time cannot all pass on the strength of the same last one.

Whoever opens a sealed text asks twice: without a password, for what to derive with,
and with it. The question is a miss, and leaves a mark. The next look-up with a password
by the same source for the same code takes the mark in place of a miss of its own, and
where it finds its text the question is refunded too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

from saver.ratelimit import Charge, Charged, SafeCounters, Taken

Charges = tuple[Charge, ...]


class RateLimitExceededError(Exception):
    """A budget is spent. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("budget spent")
        self.retry_after = retry_after


class Marks(NamedTuple):
    """What a question for one code leaves: ``scarce`` where it was one of the few that everybody has left."""

    asked: Charge
    scarce: Charge


class Plan(NamedTuple):
    """What a look-up of one source is charged.

    ``charges`` is all that is charged at once: ``loads``, what counts it until it is answered
    (``under_way``), ``misses`` of the source and its network, and everybody's at the end, so
    that nothing else is over where those are. ``scarce`` is charged only then.
    """

    charges: Charges
    loads: Charges
    under_way: Charges
    misses: Charges
    all_misses: Charges
    scarce: Charges
    marks: Callable[[str], Marks]


class Lookup:
    """One look-up that is charged: to be settled once by ``ask`` or ``own``, or else given up."""

    def __init__(
        self,
        counts: SafeCounters,
        plan: Plan,
        charged: Sequence[Charged],
        now: float,
        note_refusal: Callable[[], None],
    ) -> None:
        self._counts = counts
        self._plan = plan
        self._now = now
        self._note_refusal = note_refusal
        self._loads = charged[: len(plan.loads)]
        self._charged = charged[len(plan.loads) :]
        self._is_settled = False
        if over := _those_over(self._loads):
            self.give_up()
            self._refuse(over)

    def give_up(self) -> None:
        """Take all charges back unless it was settled: nothing was looked up."""
        if not self._is_settled:
            self._is_settled = True
            self._counts.refund([*self._loads, *self._charged], self._now)

    @contextmanager
    def ask(self, code: str, miss: type[Exception], *, tried: bool) -> Iterator[bool]:
        """Load a code inside, by a password or proof if ``tried``; ``miss`` raised inside is a miss.

        Yields whether only a sealed text may be found: an open one was not there when the question
        was asked that pays for this. Raises RateLimitExceededError and CountersError before a look-up.
        """
        self._is_settled = True
        marks = self._plan.marks(code) if tried and self._charged else None
        if marks and (taken := self._counts.take(marks, self._charged, self._now)):
            yield from self._on_mark(taken, marks, miss)
        else:
            yield from self._on_charges(miss, None if tried else code)

    @contextmanager
    def own(self, miss: type[Exception]) -> Iterator[object]:
        """Do inside what takes a token or claim; otherwise as ``ask``."""
        self._is_settled = True
        yield from self._on_charges(miss, None)

    def _on_mark(self, taken: Taken, marks: Marks, miss: type[Exception]) -> Iterator[bool]:
        try:
            yield True
        except miss:
            raise
        except BaseException:
            self._counts.leave(taken.charge, taken.begun, [], self._now)
            raise
        scarce = self._plan.scarce if taken.charge == marks.scarce else ()
        self._counts.forgive(taken, self._plan.misses + self._plan.all_misses + scarce, self._now)

    def _on_charges(self, miss: type[Exception], asked: str | None) -> Iterator[bool]:
        """``asked`` is the code of a question that leaves a mark if it is a miss."""
        scarce = self._admit()
        charged = [*self._charged, *scarce]
        try:
            yield False
        except miss:
            under_way = [one for one in charged if one.charge in self._plan.under_way]
            if asked and charged:
                marks = self._plan.marks(asked)
                mark = marks.scarce if scarce else marks.asked
                self._counts.leave(mark, charged[-1].at, under_way, self._now)
            else:
                self._counts.refund(under_way, self._now)
            raise
        except BaseException:
            self._counts.refund(charged, self._now)
            raise
        self._counts.refund(charged, self._now)

    def _admit(self) -> list[Charged]:
        """What else is charged, so that it may be looked up. Raises RateLimitExceededError."""
        over, scarce = _those_over(self._charged), list[Charged]()
        if over and over[0].charge in self._plan.all_misses:
            # Everybody together has spent the budget of the day: few misses each,
            # so that strangers cannot keep those who know their code from loading.
            scarce = self._counts.charge(self._plan.scarce, self._now)
            over = _those_over(scarce)
        if over:
            # Not the loads: whoever goes on asking is to be refused before anything is parsed.
            self._counts.refund([*self._charged, *scarce], self._now)
            self._refuse(over)
        return scarce

    def _refuse(self, over: Sequence[Charged]) -> NoReturn:
        self._note_refusal()
        raise RateLimitExceededError(retry_after(over))


def retry_after(over: Sequence[Charged]) -> int:
    """How long (seconds) until every budget that is spent has room again."""
    return max(1, math.ceil(max(one.left for one in over)))


def _those_over(charged: Sequence[Charged]) -> list[Charged]:
    return [one for one in charged if one.is_over]
