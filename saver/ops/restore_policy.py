"""What a restore must know of the settings and the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestorePolicy:
    """``head`` is the schema's version; ``cool_down`` and the ``max_lifetime`` of a text are in seconds.

    ``key_ids`` are those of the keys that decrypt texts, the current one first.
    """

    head: str
    cool_down: int
    max_lifetime: int
    key_ids: Sequence[bytes]

    @property
    def quarantine(self) -> int:
        """How long (seconds) a code that was leased a moment ago may stay leased and cool down."""
        return self.max_lifetime + self.cool_down
