"""The address of a client, and the source and network that it counts as.

A header is believed only if a trusted proxy sent it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

Network = IPv4Network | IPv6Network
# A peer that connects through a unix socket, which has no address.
UNIX: Literal["unix"] = "unix"
Proxy = Network | Literal["unix"]
# Some proxies add the port, and put an IPv6 address in brackets as in a URL.
_WITH_PORT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](:\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}")


def source_key(address: str) -> str:
    """The source of an address: itself for IPv4, also if mapped into IPv6; its /64 for IPv6.

    All peers without an address (unix sockets) are one source.
    """
    ip = _parse(address)
    return str(ip_network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)


def network_key(address: str) -> str | None:
    """The /48 of an IPv6 address, all of which may belong to one customer; None for other addresses."""
    ip = _parse(address)
    return str(ip_network((ip, 48), strict=False)) if isinstance(ip, IPv6Address) else None


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Proxy]) -> str:
    """The address of the client: the peer, or the right-most hop that is not a trusted proxy.

    ``forwarded_for`` are the hops of X-Forwarded-For from left to right, each with a port or without. They
    count only if the peer itself is a trusted proxy. A hop that is not an address ends the search: the
    result is the proxy that reported it.
    """
    client = peer
    for hop in map(_without_port, reversed(forwarded_for)):
        if _parse(hop) is None or not is_within(client, trusted):
            break
        client = hop
    return client


def _without_port(hop: str) -> str:
    match = _WITH_PORT.fullmatch(hop)
    return match["v6"] or match["v4"] if match else hop


def is_within(address: str, networks: Sequence[Proxy]) -> bool:
    """Whether an address is in one of the networks; a malformed address is in none."""
    if not address:
        return UNIX in networks
    ip = _parse(address)
    return ip is not None and any(ip in network for network in networks if network != UNIX)
