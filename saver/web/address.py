"""The address at which a visitor sees the page, for the commands that it shows without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import request

from saver.ratelimit.addresses import Proxy, is_within

_PLACEHOLDER = "https://…/"
# A client may send anything there: only a name or an address, and a port, are repeated.
_HOST = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def page_address(public_url: str, trusted: Sequence[Proxy]) -> str:
    """The configured address, or the one of the request; without either a placeholder.

    It ends with a slash. The Host of a request appears only in the response to it.
    """
    if public_url:
        return public_url
    host = request.headers.get("Host", "")
    if not _HOST.fullmatch(host):
        return _PLACEHOLDER
    return f"{_scheme(trusted)}://{host}/"


def _scheme(trusted: Sequence[Proxy]) -> str:
    forwarded = request.headers.get("X-Forwarded-Proto")
    is_believed = forwarded == "https" and is_within(request.remote_addr or "", trusted)
    return "https" if is_believed else request.scheme
