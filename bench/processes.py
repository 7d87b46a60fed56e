"""What the system says about processes: what they have started, their processor time and memory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def tree(pid: int) -> list[int]:
    """A process and all that it and they have started."""
    return [pid, *(below for child in children(pid) for below in tree(child))]


def command_of(pid: int) -> bytes:
    """The program of a process and its arguments."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def cpu_seconds_of(pid: int) -> float:
    """The processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident_of(pid: int) -> tuple[float, float]:
    """Resident memory of a process, in MB: all of it, and what is not a file's."""
    return _megabytes(pid, "status", "VmRSS"), _megabytes(pid, "status", "RssAnon")


def memory_of(pid: int) -> float:
    """The memory of a process in MB; what it shares with others is divided among them (PSS)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return _megabytes(pid, "smaps_rollup", "Pss")
    return 0.0


def _megabytes(pid: int, file: str, name: str) -> float:
    lines = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/{file}").read_text().splitlines() if ":" in line
    )
    return int(lines[name].split(maxsplit=1)[0]) / 1024
