"""Tells the server that a thread is about to wait, so that another one takes the next request.

The threads of a process run in turns, since Python runs one at a time, and each change of turn takes some
microseconds. So the server has only a few of them take requests; whatever waits for a disk, another process
or another machine says so first, except for the read of one row from a file, which hardly ever waits.
Elsewhere it has no effect.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class _Thread(threading.local):
    on_block: Callable[[], None] | None = None


_thread = _Thread()


def call_before_blocking(callback: Callable[[], None]) -> None:
    """Have ``callback`` called in this thread each time that it is about to wait."""
    _thread.on_block = callback


def about_to_block() -> None:
    """Say that this thread is about to wait."""
    if _thread.on_block:
        _thread.on_block()


def sleep(seconds: float) -> None:
    """Wait for so long."""
    about_to_block()
    time.sleep(seconds)
