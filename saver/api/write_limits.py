"""The rate limits of writes: declared on routes with flask-limiter, counted by ``RateLimits``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from flask import Flask, Request, Response, g
from flask.globals import request_ctx
from flask_limiter import Limiter
from limits import RateLimitItem
from limits.storage import Storage

from saver.api.client_address import counted_address
from saver.ratelimit import CountersError
from saver.ratelimit.keys import Windows
from saver.ratelimit.rules import RateLimits
from saver.settings import Settings

_KEY = "counted by RateLimits"


class WriteLimits:
    """Limits the writes of an IPv6 /48 and those of a source."""

    def __init__(self, rate_limits: RateLimits, settings: Settings) -> None:
        self._rate_limits = rate_limits
        self._trusted = settings.trusted_proxies
        self._limiter = Limiter(
            lambda: _KEY, storage_uri=f"{_CountedStorage.STORAGE_SCHEME[0]}://", strategy="fixed-window"
        )
        # It would log each refusal with the key of the source.
        self._limiter.logger.setLevel(logging.WARNING)
        self._source = self._declare(rate_limits.writes, "write")
        # A network's limits come first: once it has reached one, its sources add no counts.
        self._network = [*self._declare(rate_limits.network_writes, "write-network"), *self._source]

    def init_app(self, app: Flask) -> None:
        """Attach flask-limiter to the app."""
        # Known to the app already, it registers no functions to call around every request: they serve
        # default limits and X-RateLimit headers, which are not used here, and make a load a fifth slower.
        app.extensions.setdefault("limiter", set()).add(self._limiter)
        self._limiter.init_app(app)

    def __call__(self, view: Callable[[Request, str], Response]) -> Callable[[], Response]:
        """Make a view that checks the limits of the client's address before the request is parsed."""

        @wraps(view)
        def limited_view() -> Response:
            request = request_ctx.request
            address = counted_address(request, self._trusted)
            self._check(address)
            return view(request, address)

        return limited_view

    def _declare(self, windows: Windows, scope: str) -> list[RateLimitItem]:
        declared = _notation(windows)
        return [each.limit for each in self._limiter.shared_limit(declared, scope)] if declared else []

    def _check(self, address: str) -> None:
        """Charge all limits at once. Raises RateLimitExceededError and CountersError."""
        plan = self._rate_limits.write_plan(address)
        charged = self._rate_limits.charge_write(plan)
        g.write_counts = iter([result.counted for result in charged])
        # The strategy alone: what flask-limiter does around it takes longer than the whole of a load.
        hit = self._limiter.limiter.hit
        if not all(hit(limit) for limit in (self._network if plan.has_network else self._source)):
            self._rate_limits.refuse(charged)


class _CountedStorage(Storage):
    """Gives flask-limiter the counts of ``RateLimits``, in the order in which the limits are declared."""

    STORAGE_SCHEME = ["saver"]  # noqa: RUF012 - declared so by the base class

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a call raises where it cannot count."""
        return CountersError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """The count of the next limit."""
        count: int = next(g.write_counts)
        return count

    def get(self, key: str) -> int:
        """Not used: a fixed window needs only ``incr``."""
        raise NotImplementedError

    get_expiry = check = reset = clear = get  # type: ignore[assignment]


def _notation(windows: Windows) -> str:
    """Windows in flask-limiter's notation; empty for none."""
    return ";".join(f"{limit} per {seconds} second" for seconds, limit in windows)
