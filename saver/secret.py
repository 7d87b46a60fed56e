"""The secret key of the server, for decoys, rate limits and quotas: the setting, or a file."""

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
    """The setting, or the content of the file in the data directory, which is made at first use.

    Raises SettingsError if other users of the machine may read that file.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / _FILE
    if not path.exists():
        _make_secret(path)
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise SettingsError(
            f"{path}: every user of this machine may read or change it: delete it, and a new one is made"
            " (or chmod 600, if nobody has read it)"
        )
    return path.read_bytes()


def _make_secret(path: Path) -> None:
    # Written to a temporary file and linked: of several processes that start at the same time one wins, and
    # none reads half a key.
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_BYTES))
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
