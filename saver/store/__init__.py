"""The only writer of the tables ``code`` and ``text``, and the owner of their transactions.

A lease moves a code from the pool to a text, a sweep moves it back. Each is one transaction, so every
code is in exactly one of the two tables at any instant.

``writing``, ``reading``, ``owner`` (status, extend, delete, remove) and ``maintenance`` (sweep, fill,
audit) are the operations. They use ``allocate`` (a random free code), ``quota``, ``wipe`` (end a text),
``sweep`` (one batch), ``pool`` (fill and audit), ``after_restore`` and ``copy``.
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
from saver.store.writing import KeyReusedError, Save, StoredText


class TextStore(Save, Load, Owner, Maintenance):
    """Every deed. Each raises StorageError where the database cannot do it now."""


__all__ = [
    "Audit",
    "Clock",
    "Dependencies",
    "FillResult",
    "FullError",
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
