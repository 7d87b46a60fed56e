"""A log file of what an operator did to users' texts."""

from __future__ import annotations

import math
import os
import syslog
from datetime import UTC, datetime
from pathlib import Path

from saver.clock import Clock


class OperatorLog:
    """Appends lines to a file and to syslog."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def add(self, message: str) -> None:
        """Append a message with the time in UTC. It must contain no code and no text. Raises OSError."""
        now = datetime.fromtimestamp(math.floor(self._clock()), UTC)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {message}\n")
        syslog.openlog("saver", facility=syslog.LOG_DAEMON)
        syslog.syslog(syslog.LOG_NOTICE, message)
        syslog.closelog()
