"""What the tests of a move share; ``python -m tests.support.moving STAGE`` moves, killed at that stage."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from saver import create_app
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import ask

# As they are told; the first two are moments of the first.
STAGES = ("began", "copying", "copied", "caught up", "frozen", "compared", "kept")
_OF_A_MOVE = "SELECT name FROM sqlite_schema WHERE type = 'trigger' OR name LIKE 'mov%'"


class Told:
    """Does something when a move reaches a stage."""

    def __init__(self, at: Mapping[str, Callable[[], object]] | None = None) -> None:
        self._at = dict(at or {})
        self.stages: list[str] = []
        self.missing = 0

    def began(self, rows: int) -> None:
        self.missing = rows
        self.reached("began")

    def copied(self, rows: int) -> None:
        self.missing -= rows
        if "copying" not in self.stages:
            self.reached("copying")

    def reached(self, stage: str) -> None:
        self.stages.append(stage)
        self._at.get(stage, lambda: None)()


def the_same(source: Path, target: PostgresDatabase) -> None:
    """Both have the same codes, and the same texts in every column."""
    free = "SELECT code FROM code ORDER BY code"
    assert ask(source, free) == ask(target, free)
    names = [str(row[1]) for row in ask(source, "PRAGMA table_info(text)")]
    rows = f"SELECT {', '.join(names)} FROM text ORDER BY code"
    once = names.index("once")
    found = [
        tuple(bool(value) if at == once else value for at, value in enumerate(row))
        for row in ask(source, rows)
    ]
    assert found == ask(target, rows)
    assert found


def left_in(source: Path) -> list[object]:
    """The tables and triggers of a move."""
    return [row[0] for row in ask(source, _OF_A_MOVE)]


def _main() -> None:
    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    mover = create_app().extensions["saver"].tools.move
    mover.move(sys.stdin.readline().strip(), Told({sys.argv[1]: kill}))


if __name__ == "__main__":
    _main()
