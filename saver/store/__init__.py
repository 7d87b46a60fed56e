"""The only writer of the tables ``code``, ``text`` and ``meeting``, and the owner of their transactions.

A lease moves a code from the pool to a text, a sweep moves it back. Each is one transaction, so every
code is in exactly one of the two tables at any instant.

``writing``, ``reading``, ``owner`` (status, extend, delete, remove) and ``maintenance`` (sweep, fill,
audit) are the operations: one class each, given the same ``Store``. They use ``allocate`` (a random free
code), ``quota``, ``wipe`` (end a text), ``sweep`` (one batch) and ``pool`` (fill and audit).
``meetings`` are the messages of live transfers.
``after_restore`` and ``copy`` are for operators.
"""

from saver.store.after_restore import merge_from_old, quarantine_all
from saver.store.allocate import PoolEmptyError
from saver.store.base import NoTextError, Store
from saver.store.maintenance import Maintenance
from saver.store.meetings import MeetingStore
from saver.store.owner import Status, TextOwner
from saver.store.pool import Audit, FillResult, KeyCounts, count, count_by_key
from saver.store.quota import FullError, Quota, QuotaError
from saver.store.reading import LoadedText, TextReader
from saver.store.sweep import SweepResult
from saver.store.writing import KeyReusedError, StoredText, TextWriter


class TextStore:
    """Every operation under one name. Each raises StorageError if the database cannot do it now."""

    def __init__(self, store: Store) -> None:
        self.database, self.disk = store.database, store.disk
        self.deriver, self.receipts, self.random = store.deriver, store.receipts, store.random
        self.keyring = store.keyring
        self.writer = TextWriter(store)
        self.save, self.has_room = self.writer.save, self.writer.has_room
        self.reader = TextReader(store)
        self.load, self.ack = self.reader.load, self.reader.ack
        owner = TextOwner(store)
        self.status, self.extend, self.delete, self.remove = (
            owner.status,
            owner.extend,
            owner.delete,
            owner.remove,
        )
        maintenance = Maintenance(store)
        self.sweep, self.sweep_all = maintenance.sweep, maintenance.sweep_all
        self.keep_reserve, self.checkpoint = maintenance.keep_reserve, maintenance.checkpoint
        self.fill, self.audit, self.stats = maintenance.fill, maintenance.audit, maintenance.stats
        self.count_free, self.count_open = maintenance.count_free, maintenance.count_open
        self.count_by_key, self.purge_receipts = maintenance.count_by_key, maintenance.purge_receipts
        self.meetings = MeetingStore(store)


__all__ = [
    "Audit",
    "FillResult",
    "FullError",
    "KeyCounts",
    "KeyReusedError",
    "LoadedText",
    "MeetingStore",
    "NoTextError",
    "PoolEmptyError",
    "Quota",
    "QuotaError",
    "Status",
    "Store",
    "StoredText",
    "SweepResult",
    "TextStore",
    "count",
    "count_by_key",
    "merge_from_old",
    "quarantine_all",
]
