"""Helpers for tests of copy-to-server; ``python -m tests.support.copying STAGE`` kills itself at a stage."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from saver import create_app
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import query

STAGES = ("start", "advance", "copied", "compared", "committed")


class Hooks:
    """A progress display that calls a function when a copy reaches a stage."""

    def __init__(self, at: Mapping[str, Callable[[], object]] | None = None) -> None:
        self._at = dict(at or {})
        self.stages: list[str] = []
        self.missing = 0

    def start(self, rows: int) -> None:
        self.missing = rows
        self.stage_done("start")

    def advance(self, rows: int) -> None:
        self.missing -= rows
        if "advance" not in self.stages:
            self.stage_done("advance")

    def stage_done(self, stage: str) -> None:
        self.stages.append(stage)
        self._at.get(stage, lambda: None)()


def assert_same(source: Path, target: PostgresDatabase) -> None:
    """Both databases have the same codes, and the same texts in every column."""
    free = "SELECT code FROM code ORDER BY code"
    assert query(source, free) == query(target, free)
    names = [str(row[1]) for row in query(source, "PRAGMA table_info(text)")]
    rows = f"SELECT {', '.join(names)} FROM text ORDER BY code"
    once = names.index("once")
    found = [
        tuple(bool(value) if at == once else value for at, value in enumerate(row))
        for row in query(source, rows)
    ]
    assert found == query(target, rows)
    assert found


def _main() -> None:
    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    copier = create_app().extensions["saver"].tools.copy
    copier.run(sys.stdin.readline().strip(), Hooks({sys.argv[1]: kill}))


if __name__ == "__main__":
    _main()
