"""The charges of a source: under which keys it is counted, in which windows."""

from __future__ import annotations

import hashlib
import hmac

from saver.ratelimit.addresses import network_key
from saver.ratelimit.counters import Charge

# (length in seconds, limit) of each window.
Windows = tuple[tuple[int, int], ...]
DAY = 86_400


class SourceKeys:
    """What is stored is a keyed hash of the source, with another key every day, never an address."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def charges(self, kind: str, source: str, day: int, windows: Windows) -> tuple[Charge, ...]:
        """The charges of a source, one for each window."""
        # The kinds are parts of keys that are stored: another word for one would begin its counts at 0.
        key = self.hash(kind, source, day).hex()[:32]
        return tuple(Charge(f"{kind}/{seconds}/{key}", limit, seconds) for seconds, limit in windows)

    def network_charges(self, kind: str, address: str, day: int, windows: Windows) -> tuple[Charge, ...]:
        """The charges of the IPv6 /48 of an address; none for an IPv4 address."""
        network = network_key(address)
        return () if network is None else self.charges(kind, network, day, windows)

    def hash(self, kind: str, source: str, day: int) -> bytes:
        """The hash of a source, 32 bytes."""
        return hmac.digest(self._secret, f"{day} {kind} {source}".encode(), hashlib.sha256)


def windows(minute: int = 0, hour: int = 0, day: int = 0) -> Windows:
    """Windows of these lengths; 0 means no limit and makes none."""
    limits = ((60, minute), (3_600, hour), (DAY, day))
    return tuple((seconds, limit) for seconds, limit in limits if limit)
