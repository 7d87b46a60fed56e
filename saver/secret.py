"""The secret that keys decoys, budgets and the names of sources: the setting, or a file made on first use."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from saver.settings import Settings, SettingsError

_FILE = "secret_key"
_BYTES = 32


def load_secret(settings: Settings) -> bytes:
    """The server's secret: the setting, or the file in the data directory, made on first use.

    Raises SettingsError where others may read that file.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / _FILE
    if not path.exists():
        _make_secret(path)
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise SettingsError(
            f"{path}: everybody on this machine may read or change it: delete it, and another one is made"
            " (or chmod 600, if nobody has)"
        )
    return path.read_bytes()


def _make_secret(path: Path) -> None:
    # Written aside and linked, so that of several processes that start at once
    # one wins and none reads half a key.
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_BYTES))
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
