"""Leases: the one room that writes ``code`` and ``text``, and owns the transactions.

A lease moves a code from the pool to a text, a sweep moves it back; each move is
one transaction, so every code is in exactly one of the two tables at any instant.

The deeds are ``save``, ``load`` (and acknowledge), ``own`` (status, extend, delete,
remove) and ``upkeep`` (sweep, fill, audit) on the common ground of ``base``. Below
them ``draw`` takes a random free code, ``quota`` refuses what there is no room for, ``end`` ends
a text, ``sweep`` is one batch of a sweep, ``pool`` fills and audits, ``restore`` tells a backup what
happened since, ``move`` copies everything to another database.
"""

from saver.store.after_restore import merge_from_old, quarantine_all
from saver.store.allocate import PoolEmptyError
from saver.store.base import Clock, Dependencies, NoTextError
from saver.store.maintenance import Maintenance
from saver.store.owner import Owner, Status
from saver.store.pool import Audit, FillResult, count
from saver.store.quota import FullError, Quota, QuotaError
from saver.store.reading import Load, LoadedText
from saver.store.sweep import SweepResult
from saver.store.writing import IdempotentRequest, KeyReusedError, Save, StoredText


class TextStore(Save, Load, Owner, Maintenance):
    """Every deed. Each raises StorageError where the database cannot do it now."""


__all__ = [
    "Audit",
    "Clock",
    "Dependencies",
    "FillResult",
    "FullError",
    "IdempotentRequest",
    "KeyReusedError",
    "LoadedText",
    "NoTextError",
    "PoolEmptyError",
    "Quota",
    "QuotaError",
    "Status",
    "StoredText",
    "SweepResult",
    "TextStore",
    "count",
    "merge_from_old",
    "quarantine_all",
]
