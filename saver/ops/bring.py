"""Bring everything from a live file into a transaction of another database, and freeze the file."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, Engine

from saver.database import moving, postgresql
from saver.database.moving import Freeze
from saver.database.writer import writer_for
from saver.store import Audit, Clock, count
from saver.store.copy import TABLES, catch_up, copy_all, same, same_texts

# The source is frozen when a round brought no more codes than this, or after so many rounds.
_FEW = 1_000
_MOST_ROUNDS = 20


class Progress(Protocol):
    """Who is told how far a move is."""

    def began(self, rows: int) -> None:
        """So many rows are to be copied."""

    def copied(self, rows: int) -> None:
        """So many more are copied."""

    def reached(self, stage: str) -> None:
        """``copied``, ``caught up``, ``frozen``, ``compared`` and ``kept``, in this order."""


@dataclass(frozen=True, slots=True)
class Brought:
    """All is in the transaction; ``codes`` changed meanwhile, ``frozen_at`` is by ``time.monotonic``."""

    codes: int
    frozen_at: float


class Source:
    """The database that a service moves away from."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._writer = writer_for(engine)
        self._clock = clock

    def bring(self, target: Connection, place: str, progress: Progress) -> Brought:
        """Copy, catch up, freeze and compare. Raises MoveError, StorageError and DBAPIError."""
        since = self._copy(target, progress)
        postgresql.learn(target, TABLES)
        progress.reached("copied")
        codes, since = self._catch_up(target, since)
        # Counting all codes takes a while: done before the freeze, for what is noted after it is little.
        more, since = self._count(target, since)
        most, since = self._catch_up(target, since)
        progress.reached("caught up")
        move = Freeze(secrets.token_hex(16), place, done=False)
        frozen_at = time.monotonic()
        self._writer.run(partial(moving.freeze, tables=TABLES, move=move))
        progress.reached("frozen")
        with self.snapshot() as source:
            last = catch_up(source, target, since).codes
            same_texts(source, target)
        postgresql.mark(target, TABLES[-1], remark(move))
        progress.reached("compared")
        return Brought(codes + more + most + last, frozen_at)

    def _copy(self, target: Connection, progress: Progress) -> int:
        self._writer.run(partial(moving.note_changes, tables=TABLES))
        audit = self.audit()
        progress.began(audit.wanted - audit.missing)
        with self.snapshot() as source:
            return copy_all(source, target, progress.copied)

    def _catch_up(self, target: Connection, since: int) -> tuple[int, int]:
        codes = 0
        for _ in range(_MOST_ROUNDS):
            with self.snapshot() as source:
                done = catch_up(source, target, since)
            codes, since = codes + done.codes, done.until
            if done.codes <= _FEW:
                break
        return codes, since

    def _count(self, target: Connection, since: int) -> tuple[int, int]:
        with self.snapshot() as source:
            done = catch_up(source, target, since)
            same(source, target, self._now())
        return done.codes, done.until

    def thaw(self) -> None:
        """Take writes again, and leave nothing of a move. Raises StorageError."""
        self._writer.run(partial(moving.end, tables=TABLES))

    def finish(self) -> None:
        """Note that the move is done. Raises StorageError."""
        self._writer.run(moving.finish)

    def frozen_by(self) -> Freeze | None:
        """The move that froze it."""
        with self.snapshot() as source:
            return moving.frozen_by(source)

    def audit(self) -> Audit:
        """Where the codes are."""
        with self.snapshot() as source:
            return count(source, self._now())

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees one instant."""
        with self._engine.connect() as connection:
            # A read that was broken off goes on until its rows are forgotten: nobody may get its connection.
            connection.detach()
            with connection.begin():
                yield connection

    def _now(self) -> int:
        return math.floor(self._clock())


def remark(move: Freeze) -> str:
    """What is said of the table of texts in the target, so that a move is known to be done."""
    return f"moved here: {move.id}"
