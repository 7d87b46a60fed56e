"""The folder of a private web server."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp


def server_folder(database: Path, *names: str) -> Path:
    """A new folder with these folders and a copy of the database; for the caller to remove."""
    # Under pytest's temporary folder the paths of the sockets would be too long.
    root = Path(mkdtemp(prefix="saver", dir="/tmp"))
    root.chmod(0o755)
    for name in ("run", "log", "data", *names):
        (root / name).mkdir(parents=True)
    shutil.copy(database, root / "data" / "saver.db")
    return root
