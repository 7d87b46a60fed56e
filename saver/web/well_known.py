"""Two files for programs that visit sites: ``/robots.txt``, and ``/.well-known/security.txt`` (RFC 9116)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

# Texts cannot be fetched with GET at all; of the API only the description could be indexed.
ROBOTS = "User-agent: *\nDisallow: /api/\n"
# How long a copy of security.txt may be believed. The setting of now is asked for with each request.
_VALID_FOR = timedelta(days=30)
_E_MAIL = re.compile(r"[^\s@:/<>]+@[^\s@:/<>]+\.[^\s@:/<>]+")
_HTTPS = re.compile(r"https://[!-~]+")


def security_txt(contact: str, now: float) -> str | None:
    """The file for a contact that is a mail address or an address with https; None for any other.

    ``now`` is UTC seconds.
    """
    if _E_MAIL.fullmatch(contact):
        contact = f"mailto:{quote(contact, safe='@+')}"
    elif not _HTTPS.fullmatch(contact):
        return None
    expires = datetime.fromtimestamp(now, UTC) + _VALID_FOR
    return f"Contact: {contact}\nExpires: {expires:%Y-%m-%dT%H:%M:%SZ}\n"
