"""Files that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROCESSES = Path("/proc")


class OperationError(Exception):
    """It cannot be done, and nothing was changed; says why in a sentence for the operator."""


def make_private(path: Path) -> int:
    """Make an empty file that only its owner may read, and lock it; the descriptor that holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made; raise OperationError if another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise OperationError("another one is under way") from None
    finally:
        os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Whether nobody works on a file any more that ``make_private`` made."""
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
    """Fill ``target``, which is there, with what is in ``source``."""
    with source.open("rb") as read, target.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def users_of(path: Path) -> set[int]:
    """The other processes that have a file open, as far as this one may see."""
    with suppress(FileNotFoundError):
        wanted = path.stat()
        return {pid for pid in _processes() if _has_open(pid, (wanted.st_dev, wanted.st_ino))}
    return set()


def _processes() -> set[int]:
    return {int(entry.name) for entry in _PROCESSES.iterdir() if entry.name.isdigit()} - {os.getpid()}


def _has_open(pid: int, wanted: tuple[int, int]) -> bool:
    try:
        links = list((_PROCESSES / str(pid) / "fd").iterdir())
    except OSError:
        return False
    for link in links:
        with suppress(OSError):
            found = link.stat()
            if (found.st_dev, found.st_ino) == wanted:
                return True
    return False
