"""When the last backup was made, for the metrics."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from saver.clock import Clock

_log = logging.getLogger(__name__)


class LastBackup:
    """The time of the last backup, in a file."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def record(self) -> None:
        """Store that a backup has been made now. Never raises OSError, because the backup is there."""
        try:
            self._file.write_text(f"{math.floor(self._clock())}\n", encoding="ascii")
        except OSError as error:
            _log.warning("the time of the backup cannot be stored: %s", error.strerror)

    def age(self) -> float | None:
        """Seconds since the last backup; None if there was none, or if it is unknown."""
        try:
            return self._clock() - int(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
