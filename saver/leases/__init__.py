"""Leases: the one room that writes ``code`` and ``text``, and owns the transactions.

A lease moves a code from the pool to a text, a sweep moves it back; each move is
one transaction, so every code is in exactly one of the two tables at any instant.

``leases`` holds the deeds, ``draw`` takes a random free code, ``sweep`` is one
batch of a sweep, ``pool`` fills and audits.
"""

from saver.leases.draw import PoolEmptyError
from saver.leases.leases import Clock, Lease, Leases, Loaded, NoTextError
from saver.leases.pool import Audit, Filled
from saver.leases.sweep import Swept

__all__ = [
    "Audit",
    "Clock",
    "Filled",
    "Lease",
    "Leases",
    "Loaded",
    "NoTextError",
    "PoolEmptyError",
    "Swept",
]
