"""Builds the wheel and the sdist as CONTRIBUTING.md says, with the locked backend and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def build(source: Path, target: Path) -> tuple[Path, Path]:
    """Build both from the files in ``source``: the wheel and the sdist."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target)]
    environ = {"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "1800000000"}
    subprocess.run(command, cwd=source, env=environ, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    (sdist,) = target.glob("*.tar.gz")
    return wheel, sdist
