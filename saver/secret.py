"""The secret keys of the server: the setting or a file, and those that were used before."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from saver.settings import Settings, SettingsError

_FILE = "secret_key"
_OLD_FILES = "secret_key.old*"
_BYTES = 32


def load_secret(settings: Settings) -> bytes:
    """The setting, or the content of the file in the data directory, which is made at first use.

    Raises SettingsError if other users of the machine may read that file, or if it is empty.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / _FILE
    if not path.exists():
        _make_secret(path)
    return _read(path)


def load_old_secrets(settings: Settings) -> list[bytes]:
    """The setting and the files ``secret_key.old*``, whose keys open texts and encrypt none.

    Raises the errors of ``load_secret``.
    """
    given = [secret.get_secret_value().encode() for secret in settings.old_secret_keys]
    return given + [_read(path) for path in sorted(settings.data_dir.glob(_OLD_FILES))]


def _read(path: Path) -> bytes:
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise SettingsError(
            f"{path}: every user of this machine may read or change it: delete it, and a new one is made"
            " (or chmod 600, if nobody has read it)"
        )
    secret = path.read_bytes()
    if not secret:
        raise SettingsError(f"{path}: is empty: put its copy back, or delete it, and a new one is made")
    return secret


def _make_secret(path: Path) -> None:
    # Written to a temporary file and linked: of several processes that start at the same time one wins, and
    # none reads half a key.
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_BYTES))
        file.flush()
        # Without the key no text opens, so it must outlast a power cut as they do.
        os.fsync(descriptor)
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
