"""The queue of requests, from which only a few threads take one at a time."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class _Thread(threading.local):
    has_turn = False


class JobQueue(Generic[T]):
    """A queue for threads of which at most ``turns`` have a turn: they wait for a job or work on one.

    A thread keeps its turn from job to job and gives it up once it waits for something else. When it is done
    with that job it needs a turn again, so more than ``turns`` threads may be at work, but never take jobs.
    """

    def __init__(self, turns: int) -> None:
        self._jobs: SimpleQueue[T] = SimpleQueue()
        self._turns: SimpleQueue[None] = SimpleQueue()
        self._thread = _Thread()
        for _ in range(turns):
            self._turns.put(None)

    def put(self, job: T) -> None:
        """Add a job."""
        self._jobs.put(job)

    def get(self) -> T:
        """Wait for a turn, unless this thread still has one, and then for the oldest job."""
        if not self._thread.has_turn:
            self._turns.get()
            self._thread.has_turn = True
        return self._jobs.get()

    def end_turn(self) -> None:
        """Give up the turn of this thread, if it has one."""
        if self._thread.has_turn:
            self._thread.has_turn = False
            self._turns.put(None)
