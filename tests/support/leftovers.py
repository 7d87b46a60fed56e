"""Ends every process that a run of the tests started, even if the run is killed.

Another process waits for its end. Then it ends what has the run's mark in its environment, which daemons
inherit, and what was seen below it: nginx and Redis write a title over their environment.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NAME = "RUN_OF_TESTS"
_LOOK_SECONDS = 0.5
# For PostgreSQL, which otherwise leaves its shared memory behind.
_GRACE_SECONDS = 5.0


def watch() -> None:
    """Have everything ended that this process starts from now on, as soon as this process has ended."""
    mark = secrets.token_hex(8)
    unmarked = {name: value for name, value in os.environ.items() if name != NAME}
    command = [sys.executable, __file__, str(os.getpid()), mark]
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in range(3)]
    os.posix_spawn(sys.executable, command, unmarked, file_actions=quiet, setsid=True)
    os.environ[NAME] = mark


def mark() -> dict[str, str]:
    """What a process must have in its environment that does not inherit this one's."""
    return {NAME: os.environ[NAME]}


class _Process(NamedTuple):
    """A process; its start time differs from that of a later one with the same id."""

    pid: int
    parent: int
    started: str


def _processes() -> dict[int, _Process]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                found[int(folder.name)] = _Process(int(folder.name), int(parent), rest[17])
    return found


def _below(pid: int, processes: dict[int, _Process]) -> Iterator[_Process]:
    for process in processes.values():
        if process.parent == pid and process.pid != os.getpid():
            yield process
            yield from _below(process.pid, processes)


def _is_marked(pid: int, mark: str) -> bool:
    with suppress(OSError):
        return f"{NAME}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _until_it_ends(pid: int) -> set[_Process]:
    """All that was seen below a process while it ran."""
    seen: set[_Process] = set()
    with suppress(ProcessLookupError):
        end = os.pidfd_open(pid)
        while not select.select([end], [], [], _LOOK_SECONDS)[0]:
            seen.update(_below(pid, _processes()))
    return seen


def _end(seen: set[_Process], mark: str) -> None:
    started = {(process.pid, process.started) for process in seen}
    deadline = time.monotonic() + _GRACE_SECONDS
    how = signal.SIGTERM
    while left := [
        process.pid
        for process in _processes().values()
        if (process.pid, process.started) in started or _is_marked(process.pid, mark)
    ]:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        time.sleep(0.1)
        if time.monotonic() > deadline:
            how = signal.SIGKILL


if __name__ == "__main__":
    _end(_until_it_ends(int(sys.argv[1])), sys.argv[2])
