"""Who is asking: the address that counts for this request."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from saver.addresses import Proxy, client_address


def caller(trusted: Sequence[Proxy]) -> str:
    """The peer, or behind trusted proxies the right-most hop that is none of them."""
    hops = [hop.strip() for value in request.headers.getlist("X-Forwarded-For") for hop in value.split(",")]
    return client_address(request.remote_addr or "", hops, trusted)


def is_forwarded() -> bool:
    """Whether the request says that somebody passed it on."""
    return any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
