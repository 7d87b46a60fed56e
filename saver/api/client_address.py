"""Who is asking: the address that counts for this request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

from flask import request

from saver.ratelimit.addresses import Proxy, client_address, is_within

_log = logging.getLogger(__name__)

_NOBODY_TRUSTED = (
    "requests come through a proxy and SAVER_TRUSTED_PROXIES is empty: whoever comes through it is one source"
)
_NOBODY_NAMED = (
    "a trusted proxy names no address in X-Forwarded-For: whoever comes through it so is one source"
)


def caller(trusted: Sequence[Proxy]) -> str:
    """The peer, or behind trusted proxies the right-most hop that is none of them."""
    hops = [hop.strip() for value in request.headers.getlist("X-Forwarded-For") for hop in value.split(",")]
    return client_address(request.remote_addr or "", hops, trusted)


def counted_caller(trusted: Sequence[Proxy]) -> str:
    """The same; warns once if a proxy does not say for whom it asks, or is not believed."""
    address, peer = caller(trusted), request.remote_addr or ""
    if address == peer:
        if not trusted and is_forwarded():
            _warn_once(_NOBODY_TRUSTED)
        elif trusted and is_within(peer, trusted):
            _warn_once(_NOBODY_NAMED)
    return address


def is_forwarded() -> bool:
    """Whether the request says that somebody passed it on."""
    return any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))


@cache
def _warn_once(warning: str) -> None:
    _log.warning(warning)
