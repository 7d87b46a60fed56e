"""The address of the client, for rate limits and for the routes of the operator."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

from flask import request

from saver.ratelimit.addresses import Proxy, client_address, is_within

_log = logging.getLogger(__name__)
_FORWARDING_HEADERS = frozenset(("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))

_NOBODY_TRUSTED = (
    "requests come through a proxy and SAVER_TRUSTED_PROXIES is empty: whoever comes through it is one source"
)
_NOBODY_NAMED = (
    "a trusted proxy names no address in X-Forwarded-For: whoever comes through it so is one source"
)


def caller(trusted: Sequence[Proxy]) -> str:
    """The peer, or behind trusted proxies the right-most hop that is not one of them."""
    # WSGI joins headers of one name with commas, and reading its environment is quick: every load does it.
    forwarded_for = request.environ.get("HTTP_X_FORWARDED_FOR", "")
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
    return client_address(request.remote_addr or "", hops, trusted)


def counted_caller(trusted: Sequence[Proxy]) -> str:
    """The same; logs a warning once if a proxy names no client, or is not trusted."""
    address, peer = caller(trusted), request.remote_addr or ""
    if address == peer:
        if not trusted and is_forwarded():
            _warn_once(_NOBODY_TRUSTED)
        elif trusted and is_within(peer, trusted):
            _warn_once(_NOBODY_NAMED)
    return address


def is_forwarded() -> bool:
    """Whether the request says that a proxy passed it on."""
    return not _FORWARDING_HEADERS.isdisjoint(request.environ)


@cache
def _warn_once(warning: str) -> None:
    _log.warning(warning)
