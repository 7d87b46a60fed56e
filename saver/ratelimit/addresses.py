"""Addresses: whose it is that asks, and which of its neighbours count as the same.

A header is believed only where a peer that is trusted has sent it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

Network = IPv4Network | IPv6Network
# Whoever comes over a unix socket, who has no address.
UNIX: Literal["unix"] = "unix"
Proxy = Network | Literal["unix"]
# Some proxies name the port too, and put an IPv6 address into brackets as a URL does.
_WITH_PORT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](:\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}")


def source_key(address: str) -> str:
    """The source an address counts as: itself for IPv4, also when mapped into IPv6; else its /64.

    Peers without an address (a unix socket) are one source together.
    """
    ip = _parsed(address)
    return str(ip_network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)


def network_key(address: str) -> str | None:
    """The /48 of an IPv6 address, since one customer may hold all of it; None for others."""
    ip = _parsed(address)
    return str(ip_network((ip, 48), strict=False)) if isinstance(ip, IPv6Address) else None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Proxy]) -> str:
    """The address to count: the peer, or the right-most hop that is no trusted proxy.

    ``forwarded_for`` holds the hops of X-Forwarded-For, left to right, each with a
    port or without. They are only looked at when the peer itself is a trusted proxy;
    a hop that is no address ends the search at the proxy that reported it.
    """
    believed = peer
    for hop in map(_without_port, reversed(forwarded_for)):
        if _parsed(hop) is None or not is_within(believed, trusted):
            break
        believed = hop
    return believed


def _without_port(hop: str) -> str:
    found = _WITH_PORT.fullmatch(hop)
    return found["v6"] or found["v4"] if found else hop


def is_within(address: str, networks: Sequence[Proxy]) -> bool:
    """Whether an address is in one of the networks; one that cannot be read is in none."""
    if not address:
        return UNIX in networks
    ip = _parsed(address)
    return ip is not None and any(ip in network for network in networks if network != UNIX)
