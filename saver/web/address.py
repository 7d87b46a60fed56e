"""The address at which a visitor sees the page, for the commands that it shows without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import request

from saver.ratelimit.addresses import Proxy, is_within

_PLACEHOLDER = "https://…/"
# A client writes what it likes there: a name or an address and a port, or nothing is repeated of it.
_HOST = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def page_address(public_url: str, trusted: Sequence[Proxy]) -> str:
    """The address that is set, or by which the request came; without either one to be filled in.

    It ends with a slash. What the request says stands in its own answer only, which nothing keeps.
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
