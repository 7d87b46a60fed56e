"""Who else may read or change the files of the service."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_DATABASE = "saver.db"
_FILES = (_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm", "secret_key", "receipts.db", "counts")


def unsafe(folder: Path) -> list[str]:
    """What is wrong with a data directory and what the service keeps in it, a line each. Raises OSError."""
    found = folder.stat()
    database = folder / _DATABASE
    # Root may look at the files of any user.
    ours = os.geteuid() or (database.stat().st_uid if database.exists() else found.st_uid)
    faults = [] if found.st_uid in (ours, 0) else [f"{folder} belongs to another user"]
    if found.st_mode & stat.S_IWOTH:
        faults.append(f"everybody may write to {folder}")
    is_open = bool(found.st_mode & stat.S_IXOTH)
    return faults + [fault for name in _FILES for fault in _faults_of(folder / name, is_open=is_open)]


def _faults_of(path: Path, *, is_open: bool) -> list[str]:
    if path.is_symlink():
        return [f"{path.name} is a symbolic link"]
    if not is_open or not path.exists():
        return []
    mode = path.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return [f"everybody may {'write to' if mode & stat.S_IWOTH else 'read'} {path.name}: chmod 600"]
    return []
