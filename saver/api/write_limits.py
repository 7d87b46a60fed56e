"""The rate limits of writes: declared on routes, checked by flask-limiter, counted by ``RateLimits``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Flask, Response, g
from flask_limiter import Limiter, RequestLimit, RouteLimit
from limits.storage import Storage

from saver.api.client_address import counted_address
from saver.ratelimit import ChargeResult, CountersError
from saver.ratelimit.rules import RateLimits, Windows, WritePlan
from saver.settings import Settings

View = Callable[[], Response]


class WriteLimits:
    """Declares the limits of writes on views: those of an IPv6 /48, then those of the source."""

    def __init__(self, rate_limits: RateLimits, settings: Settings) -> None:
        self._rate_limits = rate_limits
        self._trusted = settings.trusted_proxies
        self._network = _notation(rate_limits.network_writes)
        self._source = _notation(rate_limits.writes)
        self._limiter = Limiter(
            self._source_key,
            storage_uri=f"{_LimitsStorage.STORAGE_SCHEME[0]}://",
            # The library's type allows only strings and numbers, but passes on whatever it is given.
            storage_options={"rate_limits": rate_limits},  # type: ignore[dict-item]
            strategy="fixed-window",
            on_breach=self._refuse,
        )
        # It would log each refusal with the key of the source.
        self._limiter.logger.setLevel(logging.WARNING)

    def init_app(self, app: Flask) -> None:
        """Attach flask-limiter to the app."""
        # Known to the app already, it registers no functions to call around every request: they serve
        # default limits and X-RateLimit headers, which are not used here, and make a load a fifth slower.
        app.extensions.setdefault("limiter", set()).add(self._limiter)
        self._limiter.init_app(app)

    def __call__(self, view: View) -> View:
        """A view that is limited: the limits are checked before the body of the request is read."""
        limits = []
        if self._network:
            # The first limit is checked first. Once a network has reached its limit, its sources add
            # no counts.
            limits.append(
                self._limiter.shared_limit(
                    self._network,
                    "write-network",
                    key_func=self._network_key,
                    exempt_when=self._has_no_network,
                )
            )
        if self._source:
            limits.append(self._limiter.shared_limit(self._source, "write"))
        return _ParsedLimits(self._limiter, limits)(view) if limits else view

    def address(self) -> str:
        """The address of the client that writes."""
        address: str | None = g.get("write_address")
        if address is None:
            address = g.write_address = counted_address(self._trusted)
        return address

    def _source_key(self) -> str:
        return self._plan().source

    def _network_key(self) -> str:
        return self._plan().network or ""

    def _has_no_network(self) -> bool:
        return self._plan().network is None

    def _plan(self) -> WritePlan:
        plan: WritePlan | None = g.get("write_plan")
        if plan is None:
            plan = g.write_plan = self._rate_limits.write_plan(self.address())
        return plan

    def _refuse(self, _: RequestLimit) -> None:
        """Refund the charges of this request. Raises RateLimitExceededError, which has its own answer."""
        self._rate_limits.refuse_write(g.write_charged)


class _ParsedLimits(RouteLimit):
    """Limits of one view, parsed once; flask-limiter would parse them again for every request."""

    def __init__(self, limiter: Limiter, limits: Iterable[RouteLimit]) -> None:
        super().__init__(limiter=limiter, limit_provider="", override_defaults=True)
        self._parsed = tuple(chain.from_iterable(limits))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parsed)


class _LimitsStorage(Storage):
    """Lets flask-limiter count with ``RateLimits``, so that all counts are in one place."""

    STORAGE_SCHEME = ["saver"]  # noqa: RUF012 - declared so by the base class

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._rate_limits: RateLimits = options["rate_limits"]

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a call raises where it cannot count."""
        return CountersError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """The count of one limit; the first call of a request charges all of its limits, which is atomic.

        ``key`` is that of ``RateLimitItem.key_for``.
        """
        charged: list[ChargeResult] | None = g.get("write_charged")
        if charged is None:
            charged = g.write_charged = self._rate_limits.charge_write(g.write_plan)
        _, source, kind, _ = key.split("/", 3)
        charge_key = f"{kind}/{expiry}/{source}"
        return next(result.counted for result in charged if result.charge.key == charge_key)

    def get(self, key: str) -> int:
        """Not used: a fixed window needs only ``incr``."""
        raise NotImplementedError

    get_expiry = check = reset = clear = get  # type: ignore[assignment]


def _notation(windows: Windows) -> str:
    """Windows in flask-limiter's notation; empty for none.

    All are in seconds because it checks limits in the order of their units, whatever was declared first.
    """
    return ";".join(f"{limit} per {seconds} second" for seconds, limit in windows)
