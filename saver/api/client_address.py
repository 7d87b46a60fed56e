"""The address of the client that a request is counted for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache, wraps

from flask import Request, Response
from flask.globals import request_ctx

from saver.ratelimit.addresses import Proxy, client_address, is_within
from saver.ratelimit.lookups import Lookup

_log = logging.getLogger(__name__)
_FORWARDING_HEADERS = frozenset(("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))

_NO_TRUSTED_PROXY = (
    "requests come through a proxy and SAVER_TRUSTED_PROXIES is empty: all its clients count as one source"
)
_NO_FORWARDED_FOR = "a trusted proxy names no address in X-Forwarded-For: all its clients count as one source"


def address(request: Request, trusted: Sequence[Proxy]) -> str:
    """Return the peer, or behind trusted proxies the right-most hop that is not one of them."""
    # WSGI joins headers of one name with commas, and reading its environment is quick: every load does it.
    forwarded_for = request.environ.get("HTTP_X_FORWARDED_FOR", "")
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
    return client_address(request.remote_addr or "", hops, trusted)


def counted_address(request: Request, trusted: Sequence[Proxy]) -> str:
    """Return the same, and log once if a proxy names no client or is not trusted."""
    client, peer = address(request, trusted), request.remote_addr or ""
    if client == peer:
        if not trusted and is_forwarded(request):
            _warn_once(_NO_TRUSTED_PROXY)
        elif trusted and is_within(peer, trusted):
            _warn_once(_NO_FORWARDED_FOR)
    return client


def is_forwarded(request: Request) -> bool:
    """Whether a header says that a proxy passed the request on."""
    return not request.environ.keys().isdisjoint(_FORWARDING_HEADERS)


def charge_lookup(
    charge: Callable[[str], Lookup], trusted: Sequence[Proxy], view: Callable[[Request, Lookup], Response]
) -> Callable[[], Response]:
    """Make a view that charges a look-up before the request is parsed, and refunds it if it had no code.

    ``charge`` charges an address.
    """

    @wraps(view)
    def charged_view() -> Response:
        # Looked up once: each use of flask.request looks it up again, a tenth of a load in all.
        request = request_ctx.request
        with charge(counted_address(request, trusted)) as lookup:
            return view(request, lookup)

    return charged_view


@cache
def _warn_once(warning: str) -> None:
    _log.warning(warning)
