"""The lines of the log: text, or JSON for a program that collects them."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_MAX_FRAMES = 8


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the time in UTC (RFC 3339).

    An exception has its type and where it was raised, without its message, which may contain what was sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "ts": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])[-_MAX_FRAMES:]
            line["exception"] = record.exc_info[0].__name__
            line["location"] = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
        return json.dumps(line, ensure_ascii=False)


def stderr_handler(log_format: str, text: str = _TEXT) -> logging.Handler:
    """A handler that writes to stderr in the format ``json``, or in ``text``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else logging.Formatter(text))
    return handler
