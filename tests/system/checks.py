"""Helpers of all system tests: run a command, wait, require. Standard library only."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

_TIMEOUT = 60.0
_POLL = 0.05
_SHOWN = 3_000


class BrokenError(Exception):
    """A condition that must hold does not."""


def must(holds: object, what: str) -> None:
    """Raise BrokenError with ``what`` unless the condition holds."""
    if not holds:
        raise BrokenError(what)


def until(condition: Callable[[], object], what: str, timeout: float = _TIMEOUT) -> float:
    """Poll until the condition holds; the seconds that took. Raises BrokenError after the timeout."""
    started = time.monotonic()
    while not condition():
        must(time.monotonic() < started + timeout, f"not in {timeout:.0f} s: {what}")
        time.sleep(_POLL)
    return time.monotonic() - started


def run(*command: object, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises BrokenError with its output if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    output = (done.stdout + done.stderr).strip()[-_SHOWN:]
    must(done.returncode == 0 or not check, f"{' '.join(words)}: status {done.returncode}\n{output}")
    return done


def report(name: str, value: object) -> None:
    """Print one result."""
    print(f"{name:<52}{value}", flush=True)
