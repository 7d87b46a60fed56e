"""Leases: the one room that writes ``code`` and ``text``, and owns the transactions.

A lease moves a code from the pool to a text, a sweep moves it back; each move is
one transaction, so every code is in exactly one of the two tables at any instant.

The deeds are ``save``, ``load`` (and acknowledge), ``own`` (status, extend, delete,
remove) and ``upkeep`` (sweep, fill, audit) on the common ground of ``base``. Below
them ``draw`` takes a random free code, ``quota`` refuses what there is no room for, ``end`` ends
a text, ``sweep`` is one batch of a sweep, ``pool`` fills and audits, ``restore`` tells a backup what
happened since, ``move`` copies everything to another database.
"""

from saver.leases.base import Clock, NoTextError, Seams
from saver.leases.draw import PoolEmptyError
from saver.leases.load import Load, Loaded
from saver.leases.own import Own, Status
from saver.leases.pool import Audit, Filled, count
from saver.leases.quota import FullError, Quota, QuotaError
from saver.leases.restore import rest_all, take_over
from saver.leases.save import KeyReusedError, Lease, Repeatable, Save
from saver.leases.sweep import Swept
from saver.leases.upkeep import Upkeep


class Leases(Save, Load, Own, Upkeep):
    """Every deed. Each raises StorageError where the database cannot do it now."""


__all__ = [
    "Audit",
    "Clock",
    "Filled",
    "FullError",
    "KeyReusedError",
    "Lease",
    "Leases",
    "Loaded",
    "NoTextError",
    "PoolEmptyError",
    "Quota",
    "QuotaError",
    "Repeatable",
    "Seams",
    "Status",
    "Swept",
    "count",
    "rest_all",
    "take_over",
]
