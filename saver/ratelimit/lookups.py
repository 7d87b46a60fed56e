"""One look-up of a caller: charged before its request is parsed, refunded by what it finds.

Every look-up is charged as a miss and refunded if it is none, so look-ups that run at the same time cannot
all pass on the same last miss.

To open a sealed text a client asks twice: first without a password, for the parameters of the key
derivation, then with it. The first is a miss, and leaves a credit. The next look-up with a password by the
same source for the same code uses the credit instead of a miss; if it finds the text, the miss of the first
is refunded too.

An answer in a live transfer is a miss, because it is a guess of the letters. It leaves a credit too, for
which ``refund_answer`` refunds the miss once the other side has confirmed the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn, Self

from saver.ratelimit import Charge, ChargeResult, SafeCounters, UsedCredit

Charges = tuple[Charge, ...]


class RateLimitExceededError(Exception):
    """A rate limit is reached. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("rate limit exceeded")
        self.retry_after = retry_after


class Credits(NamedTuple):
    """The credits of one source for one code: ``fallback`` for a miss that was a fallback miss."""

    normal: Charge
    fallback: Charge


class LookupPlan(NamedTuple):
    """The charges of a look-up of one source.

    ``charges`` are charged together, in this order: ``loads``; ``in_flight``, the look-ups that are not
    answered yet; ``misses`` of the source and its network; ``all_misses`` of everybody. The last is over only
    if no other is: then ``fallback`` is charged too, the few misses that each source has left.
    """

    charges: Charges
    loads: Charges
    in_flight: Charges
    misses: Charges
    all_misses: Charges
    fallback: Charges
    credits: Callable[[str], Credits]


class Search:
    """The ``with`` block in which a charged look-up searches; how it ends decides what stays charged.

    A class, because ``contextlib`` takes longer than a charge.
    """

    def __init__(
        self,
        not_found: type[Exception],
        *,
        on_found: Callable[[], None],
        on_miss: Callable[[], None],
        on_error: Callable[[], None],
        only_sealed: bool = False,
    ) -> None:
        self._not_found = not_found
        self._on_found = on_found
        self._on_miss = on_miss
        self._on_error = on_error
        self._only_sealed = only_sealed

    def __enter__(self) -> bool:
        return self._only_sealed

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            self._on_found()
        elif isinstance(error, self._not_found):
            self._on_miss()
        else:
            self._on_error()


class Lookup:
    """A look-up that is charged. In its ``with`` block one of the methods ``for_…`` is called at most once.

    If none was called, the block's end refunds all charges.
    """

    def __init__(
        self,
        counters: SafeCounters,
        plan: LookupPlan,
        charged: Sequence[ChargeResult],
        now: float,
        count_refusal: Callable[[float], None],
    ) -> None:
        self._counters = counters
        self._plan = plan
        self._now = now
        self._count_refusal = count_refusal
        self._loads = charged[: len(plan.loads)]
        self._charged = charged[len(plan.loads) :]
        self._is_settled = False
        if exceeded := _exceeded(self._loads):
            self._cancel()
            self._refuse(exceeded)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()

    def _cancel(self) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._counters.refund([*self._loads, *self._charged], self._now)

    def for_code(self, code: str, not_found: type[Exception], *, with_password: bool) -> Search:
        """Look up a code in the ``with`` block of the result, which raises ``not_found`` for a miss.

        ``with_password``: the request has a password or proof. The block gets whether only a sealed text may
        be found: a credit pays for this look-up, and an open text was not there when the credit was added.
        Raises RateLimitExceededError and CountersError.
        """
        self._is_settled = True
        credits = self._plan.credits(code) if with_password and self._charged else None
        if credits and (used := self._counters.use_credit(credits, self._charged, self._now)):
            return self._on_credit(used, credits, not_found)
        return self._on_charges(not_found, None if with_password else code)

    def for_token(self, not_found: type[Exception]) -> Search:
        """Look up a code by an owner token or claim; otherwise as ``for_code``."""
        self._is_settled = True
        return self._on_charges(not_found, None)

    def for_answer(self, answer: str, not_found: type[Exception]) -> Search:
        """Answer an offer in the ``with`` block: a miss, with a credit for ``answer`` if the offer took it.

        Otherwise as ``for_code``.
        """
        self._is_settled = True
        fallback = self._check_misses()
        return Search(
            not_found,
            on_found=partial(self._leave_miss, fallback, answer),
            on_miss=partial(self._leave_miss, fallback, None),
            on_error=partial(self._counters.refund, [*self._charged, *fallback], self._now),
        )

    def _on_credit(self, used: UsedCredit, credits: Credits, not_found: type[Exception]) -> Search:
        return Search(
            not_found,
            on_found=partial(_refund_credit, self._counters, self._plan, credits, used, self._now),
            on_miss=_keep,
            on_error=partial(self._counters.add_credit, used.credit, used.window_began, [], self._now),
            only_sealed=True,
        )

    def _on_charges(self, not_found: type[Exception], credit_code: str | None) -> Search:
        """A miss adds a credit for ``credit_code``."""
        fallback = self._check_misses()
        refund = partial(self._counters.refund, [*self._charged, *fallback], self._now)
        return Search(
            not_found,
            on_found=refund,
            on_miss=partial(self._leave_miss, fallback, credit_code),
            on_error=refund,
        )

    def _leave_miss(self, fallback: Sequence[ChargeResult], credit_code: str | None) -> None:
        charged = [*self._charged, *fallback]
        in_flight = [result for result in charged if result.charge in self._plan.in_flight]
        if credit_code and charged:
            credits = self._plan.credits(credit_code)
            credit = credits.fallback if fallback else credits.normal
            self._counters.add_credit(credit, charged[-1].charged_at, in_flight, self._now)
        else:
            self._counters.refund(in_flight, self._now)

    def _check_misses(self) -> list[ChargeResult]:
        """The fallback charge, if there is one. Raises RateLimitExceededError."""
        exceeded, fallback = _exceeded(self._charged), list[ChargeResult]()
        if exceeded and exceeded[0].charge in self._plan.all_misses:
            # All sources together have used up the misses of the day. A source has few misses left instead
            # of none, so that strangers cannot keep people who know their code from loading.
            fallback = self._counters.charge(self._plan.fallback, self._now)
            exceeded = _exceeded(fallback)
        if exceeded:
            # The loads stay charged: a source that goes on is to be refused before its requests are parsed.
            self._counters.refund([*self._charged, *fallback], self._now)
            self._refuse(exceeded)
        return fallback

    def _refuse(self, exceeded: Sequence[ChargeResult]) -> NoReturn:
        self._count_refusal(self._now)
        raise RateLimitExceededError(retry_after(exceeded))


def _keep() -> None:
    """The credit that was used stays used."""


def refund_answer(counters: SafeCounters, plan: LookupPlan, answer: str, now: float) -> None:
    """Refund the misses of an answer that was confirmed, if they still have their credit.

    Raises CountersError.
    """
    credits = plan.credits(answer)
    if plan.charges and (used := counters.use_credit(credits, [], now)):
        _refund_credit(counters, plan, credits, used, now)


def _refund_credit(
    counters: SafeCounters, plan: LookupPlan, credits: Credits, used: UsedCredit, now: float
) -> None:
    fallback = plan.fallback if used.credit == credits.fallback else ()
    counters.refund_credit(used, plan.misses + plan.all_misses + fallback, now)


def retry_after(exceeded: Sequence[ChargeResult]) -> int:
    """The seconds until all of these limits allow a request again, at least 1."""
    return max(1, math.ceil(max(result.seconds_left for result in exceeded)))


def _exceeded(charged: Sequence[ChargeResult]) -> list[ChargeResult]:
    # Nothing is charged behind a count that is over.
    return [result for result in charged[-1:] if result.is_over]
