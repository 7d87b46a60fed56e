"""What a receipt is, and what whoever keeps the notes for it must do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Receipt:
    """``first_loaded_at`` in UTC seconds, ``refused`` tries with a wrong password."""

    first_loaded_at: int | None = None
    refused: int = 0


class ReceiptsError(Exception):
    """The notes are out of reach."""


class Receipts(Protocol):
    """Notes of loads and refusals; ``drop_at`` (UTC seconds) is when nobody can ask for one any more."""

    def loaded(self, name: bytes, now: int, drop_at: int) -> None:
        """Note a load; only the first one counts. Never fails a load."""

    def refused(self, name: bytes, drop_at: int) -> None:
        """Note a refused try. Never fails a load."""

    def keep(self, name: bytes, drop_at: int) -> None:
        """Keep what is noted so long, if it would go earlier. Never fails an extension."""

    def of(self, name: bytes) -> Receipt:
        """What is known. Raises ReceiptsError."""

    def purge(self, now: int) -> None:
        """Forget what nobody can ask for any more. Raises ReceiptsError."""


class LruSet:
    """Names that this process has noted as loaded, so that the second load costs nothing."""

    def __init__(self) -> None:
        self._names: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def add(self, name: bytes) -> None:
        """Remember a name, and forget the oldest of too many."""
        with self._lock:
            self._names[name] = None
            if len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
