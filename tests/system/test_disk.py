"""A disk that becomes full: a small one is mounted in a mount namespace that ends with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


@pytest.mark.parametrize("scenario", ["texts", "something_else"])
def test_it_heals(scenario: str, tmp_path: Path, migrated: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    apart = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    ours = [sys.executable, "-m", "tests.support.full_disk", scenario, str(place), str(migrated)]
    command = [*apart, "sh", "-c", MOUNT, "sh", "48m", str(place), *ours]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert "unshare" not in done.stderr, f"a name space is needed to mount a disk: {done.stderr}"
    assert done.returncode == 0, done.stderr
