"""Where saver is installed: in a clone, or as a package from a wheel.

Files that are not modules are in the clone's folders. In a wheel they are below ``shipped_files``, where
pyproject.toml puts them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED_FILES = _PACKAGE / "shipped_files"

CLONE = None if _SHIPPED_FILES.is_dir() else _PACKAGE.parent
_FILES = CLONE or _SHIPPED_FILES
EXTENSION = _FILES / "extension"
MIGRATIONS = _FILES / "migrations"
# What an operator types before the name of a command.
PROGRAM = "flask --app saver" if CLONE else "saver-server"
