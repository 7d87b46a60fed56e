"""The rate limits of writes: declared on routes, checked by flask-limiter, counted by ``RateLimits``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g
from flask_limiter import Limiter, RequestLimit
from limits.storage import Storage

from saver.api.client_address import counted_address
from saver.ratelimit import Charge, ChargeResult, CountersError
from saver.ratelimit.rules import RateLimits, WriteKeys
from saver.settings import Settings

View = Callable[[], Response]


class WriteLimits:
    """Declares the limits of writes on views: those of an IPv6 /48, then those of the source."""

    def __init__(self, rate_limits: RateLimits, settings: Settings) -> None:
        self._rate_limits = rate_limits
        self._trusted = settings.trusted_proxies
        self._network = _per(3_600, settings.writes_an_hour_per_network)
        source = (_per(60, settings.writes_a_minute), _per(3_600, settings.writes_an_hour))
        self._source = ";".join(filter(None, source))
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
        if self._network:
            # The innermost limit is checked first. Once a network has reached its limit, its sources take
            # no room in the counters.
            view = self._limiter.shared_limit(
                self._network, "write-network", key_func=self._network_key, exempt_when=self._has_no_network
            )(view)
        if self._source:
            view = self._limiter.shared_limit(self._source, "write")(view)
        return view

    def _source_key(self) -> str:
        return self._keys().source

    def _network_key(self) -> str:
        return self._keys().network or ""

    def _has_no_network(self) -> bool:
        return self._keys().network is None

    def _keys(self) -> WriteKeys:
        keys: WriteKeys | None = g.get("write_keys")
        if keys is None:
            keys = g.write_keys = self._rate_limits.write_keys(counted_address(self._trusted))
        return keys

    def _refuse(self, _: RequestLimit) -> None:
        """Refund the charges of this request. Raises RateLimitExceededError, which has its own answer."""
        self._rate_limits.refuse_write(g.write_charges)


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
        """Charge one write. ``key`` is that of ``RateLimitItem.key_for``."""
        _, source, kind, limit, *_ = key.split("/")
        charge = Charge(f"{kind}/{expiry}/{source}", int(limit), int(expiry))
        charged: list[ChargeResult] = g.setdefault("write_charges", [])
        charged.append(self._rate_limits.charge_write(charge))
        return charged[-1].counted

    def get(self, key: str) -> int:
        """Not used: a fixed window needs only ``incr``."""
        raise NotImplementedError

    get_expiry = check = reset = clear = get  # type: ignore[assignment]


def _per(seconds: int, writes: int) -> str:
    """The limit in flask-limiter's notation; empty for 0, which is no limit.

    All are in seconds because it checks limits in the order of their units, whatever was declared first.
    """
    return f"{writes} per {seconds} second" if writes else ""
