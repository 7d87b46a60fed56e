"""Private files, locks on files, and which processes have a file open."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROC = Path("/proc")


class OperationError(Exception):
    """An operation failed and changed nothing; the message tells the operator why."""


def create_private(path: Path) -> int:
    """Create an empty file that only its owner may read, and lock it; return its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is created; raise OperationError if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise OperationError("another one is under way") from None
    finally:
        os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Whether the process that created a file with ``create_private`` has ended."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def copy(source: Path, target: Path) -> None:
    """Copy the content of ``source`` into ``target``, an existing file."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def processes_using(path: Path) -> set[int]:
    """The ids of other processes that have a file open, as far as this process may see them."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return {pid for pid in _processes() if _has_open(pid, (status.st_dev, status.st_ino))}
    return set()


def _processes() -> set[int]:
    return {int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()} - {os.getpid()}


def _has_open(pid: int, file_id: tuple[int, int]) -> bool:
    try:
        links = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return False
    for link in links:
        with suppress(OSError):
            status = link.stat()
            if (status.st_dev, status.st_ino) == file_id:
                return True
    return False
