"""System programs that tests run."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def tool(name: str, package: str) -> str:
    """The path of a program; if it is missing, the test fails and names the package."""
    found = shutil.which(name)
    if not found:
        pytest.fail(f"{name} is missing; run: apt-get install -y --no-install-recommends {package}")
    return found


def run(*command: object, **more: str) -> subprocess.CompletedProcess[str]:
    parts = [str(part) for part in command]
    environ = {**os.environ, **more}
    return subprocess.run(parts, capture_output=True, text=True, check=False, timeout=180, env=environ)
