"""Programs of the system's that tests run."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def tool(name: str, package: str) -> str:
    """A program; a test that cannot run fails, and says what to do."""
    found = shutil.which(name)
    if not found:
        pytest.fail(f"{name} is missing; run: apt-get install -y --no-install-recommends {package}")
    return found


def run(*command: object, **more: str) -> subprocess.CompletedProcess[str]:
    parts = [str(part) for part in command]
    environ = {**os.environ, **more}
    return subprocess.run(parts, capture_output=True, text=True, check=False, timeout=180, env=environ)
