"""The protocol of receipt stores, and the receipt."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

_LRU_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class Receipt:
    """``first_loaded_at`` in UTC seconds; ``refused`` tries with a wrong password."""

    first_loaded_at: int | None = None
    refused: int = 0


class ReceiptsError(Exception):
    """The receipts are unavailable."""


class Receipts(Protocol):
    """Stores receipts by key; ``drop_at`` (UTC seconds) is when a receipt is deleted."""

    def record_load(self, key: bytes, now: int, drop_at: int) -> None:
        """Store the time of the first load; later loads change nothing. Never raises."""

    def record_refusal(self, key: bytes, drop_at: int) -> None:
        """Count a try with a wrong password. Never raises."""

    def postpone_drop(self, key: bytes, drop_at: int) -> None:
        """Delete an existing receipt not before ``drop_at``. Never raises."""

    def get(self, key: bytes) -> Receipt:
        """The receipt, an empty one if nothing is stored. Raises ReceiptsError."""

    def purge(self, now: int) -> None:
        """Delete the receipts whose ``drop_at`` has come. Raises ReceiptsError."""


class LruSet:
    """Keys whose load this process has stored, so that their next load needs no call."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def add(self, key: bytes) -> None:
        """Add a key; a full set drops the oldest one."""
        with self._lock:
            self._keys[key] = None
            if len(self._keys) > _LRU_SIZE:
                self._keys.popitem(last=False)
