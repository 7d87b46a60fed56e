"""Run functions in many threads that start at the same moment, with a timeout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

TIMEOUT = 60.0


def run_concurrently(works: Iterable[Callable[[], T]], timeout: float = TIMEOUT) -> list[T]:
    """Run each in its own thread; returns their results. Fails if one raised or did not end."""
    queue = list(works)
    start = threading.Barrier(len(queue))
    results: dict[int, T] = {}
    errors: list[Exception] = []

    def run(place: int, work: Callable[[], T]) -> None:
        try:
            start.wait(timeout)
            results[place] = work()
        except Exception as error:
            errors.append(error)

    # Daemon threads, so that one that hangs fails its test and does not block the whole run.
    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(queue)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    hanging = sum(thread.is_alive() for thread in threads)
    if errors or hanging:
        # As text, because an exception may not be picklable and a process may have to return it.
        shown = [f"{type(error).__name__}: {error}" for error in errors]
        raise AssertionError(f"{hanging} of {len(threads)} hang; errors: {shown}")
    return [results[place] for place in range(len(queue))]


@contextmanager
def at_work(works: Iterable[Callable[[], object]], stop: threading.Event, timeout: float) -> Iterator[None]:
    """Run each in its own thread; the end of the block sets ``stop`` and waits for them."""
    running = threading.Thread(target=lambda: run_concurrently(works, timeout), daemon=True)
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join(TIMEOUT)
        assert not running.is_alive()
