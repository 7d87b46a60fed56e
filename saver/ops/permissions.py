"""Check that no other user may read or change the files of the service."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_DATABASE = "saver.db"
_FILES = (_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm", "secret_key", "receipts.db", "counts")
_OLD_KEYS = "secret_key.old*"


def permission_errors(folder: Path) -> list[str]:
    """Return what is wrong with the data directory and its files, one line each. Raises OSError."""
    status = folder.stat()
    database = folder / _DATABASE
    # Root may run the check for the user of the service.
    owner = os.geteuid() or (database.stat().st_uid if database.exists() else status.st_uid)
    errors = [] if status.st_uid in (owner, 0) else [f"{folder} belongs to another user"]
    if status.st_mode & stat.S_IWOTH:
        errors.append(f"everybody may write to {folder}")
    is_open = bool(status.st_mode & stat.S_IXOTH)
    paths = [*(folder / name for name in _FILES), *sorted(folder.glob(_OLD_KEYS))]
    return errors + [error for path in paths for error in _errors_of(path, is_open=is_open)]


def _errors_of(path: Path, *, is_open: bool) -> list[str]:
    if path.is_symlink():
        return [f"{path.name} is a symbolic link"]
    if not is_open or not path.exists():
        return []
    mode = path.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return [f"everybody may {'write to' if mode & stat.S_IWOTH else 'read'} {path.name}: chmod 600"]
    return []
