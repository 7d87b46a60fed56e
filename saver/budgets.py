"""Who is asking, and how much they may still try.

Four letters name a text, they do not guard it: what keeps a stranger from
trying them all is that misses are counted. A guess is charged before it is
looked up and refunded when it finds its text, so guesses that run at the same
time cannot all pass on the strength of the same last one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.strategies import RateLimiter

from saver.settings import Settings

Network = IPv4Network | IPv6Network
Charge = tuple[RateLimitItem, str]


class SpentError(Exception):
    """A budget is spent. ``retry_after`` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("budget spent")
        self.retry_after = retry_after


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
    """The source an address counts as: itself for IPv4, its /64 for IPv6."""
    return str(_widened(address, 64))


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The wider network of an address: itself for IPv4, its /48 for IPv6."""
    return str(_widened(address, 48))


def _widened(address: str, prefix: int) -> IPv4Address | Network:
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return ip_network((ip, prefix), strict=False)
        return ip.ipv4_mapped
    return ip


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address to count: the peer, or the right-most hop that is no trusted proxy.

    ``forwarded_for`` holds the hops of X-Forwarded-For, left to right. They are
    only looked at when the peer itself is a trusted proxy; a hop that is no
    address ends the search at the proxy that reported it.
    """
    believed = peer
    for hop in reversed(forwarded_for):
        if not _is_trusted(believed, trusted) or not _is_address(hop):
            break
        believed = hop
    return believed


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return any(ip_address(address) in network for network in trusted)


def _is_address(hop: str) -> bool:
    try:
        ip_address(hop)
    except ValueError:
        return False
    return True


class Budgets:
    """Counts writes, loads and misses with a strategy and storage of ``limits``.

    A figure of 0 in the settings switches its budget off.
    """

    def __init__(self, strategy: RateLimiter, settings: Settings) -> None:
        self._strategy = strategy
        minute, hour, day = RateLimitItemPerMinute, RateLimitItemPerHour, RateLimitItemPerDay
        self._writes = _items((minute, settings.writes_a_minute), (hour, settings.writes_an_hour), of="write")
        self._loads = _items((minute, settings.loads_a_minute), of="load")
        self._misses = _items(
            (minute, settings.misses_a_minute),
            (hour, settings.misses_an_hour),
            (day, settings.misses_a_day),
            of="miss",
        )
        self._network_misses = _items((day, settings.misses_a_day_per_network), of="miss-network")
        self._all_misses = _items((day, settings.misses_a_day_in_all), of="miss-all")

    def write(self, address: str) -> None:
        """Count a write. Raises SpentError."""
        self._charge([(item, source_of(address)) for item in self._writes])

    @contextmanager
    def guess(self, address: str, miss: type[Exception]) -> Iterator[None]:
        """Count what could reveal whether a code is leased; a miss if ``miss`` is raised inside.

        Raises SpentError before anything is looked up.
        """
        charges = [(item, source_of(address)) for item in self._misses]
        charges += [(item, network_of(address)) for item in self._network_misses]
        charges += [(item, "") for item in self._all_misses]
        self._charge([(item, source_of(address)) for item in self._loads])
        self._charge(charges)
        try:
            yield
        except miss:
            raise
        except BaseException:
            self._refund(charges)
            raise
        self._refund(charges)

    def _charge(self, charges: Sequence[Charge]) -> None:
        for place, (item, key) in enumerate(charges):
            if not self._strategy.hit(item, key):
                self._refund(charges[: place + 1])
                reset = self._strategy.get_window_stats(item, key).reset_time
                raise SpentError(max(1, math.ceil(reset - time.time())))

    def _refund(self, charges: Sequence[Charge]) -> None:
        for item, key in charges:
            self._strategy.hit(item, key, cost=-1)


def _items(*figures: tuple[type[RateLimitItem], int], of: str) -> list[RateLimitItem]:
    return [item(figure, namespace=of) for item, figure in figures if figure]
