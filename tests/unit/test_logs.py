"""A line of the log in JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from saver.logs import JsonFormatter


def record(message: str, *arguments: object, exception: bool = False) -> logging.LogRecord:
    exc_info = sys.exc_info() if exception else None
    made = logging.LogRecord("saver.x", logging.ERROR, "file.py", 1, message, arguments, exc_info)
    made.created = 1_800_000_000.25
    return made


def test_a_line_has_time_level_logger_and_message() -> None:
    line = JsonFormatter().format(record('a "%s"\nof two lines', "message"))
    assert json.loads(line) == {
        "ts": "2027-01-15T08:00:00.250Z",
        "level": "ERROR",
        "logger": "saver.x",
        "message": 'a "message"\nof two lines',
    }
    assert "\n" not in line


def test_an_exception_has_its_type_and_place_and_not_its_message() -> None:
    try:
        int("CANARY")
    except ValueError:
        line = JsonFormatter().format(record("it failed", exception=True))
    found = json.loads(line)
    assert found["exception"] == "ValueError"
    assert found["location"].startswith(f"{Path(__file__)}:")
    assert "CANARY" not in line


def test_without_an_exception_no_place_is_named() -> None:
    logged = record("nothing is wrong", exception=True)
    assert "location" not in json.loads(JsonFormatter().format(logged))
