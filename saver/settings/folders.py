"""Where ``.env`` is, where relative paths begin, and where the data is by default.

Never in the current folder: the one in which a process is started must not decide which database it uses.
"""

from __future__ import annotations

from pathlib import Path

from platformdirs import PlatformDirs

from saver.installation import CLONE

BASE = CLONE or PlatformDirs("saver", use_site_for_root=True).user_state_path
DATA_DIR = Path("instance") if CLONE else Path()
