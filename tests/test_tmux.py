"""The worker under tmux."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.server import ROOT, environment, wait_until
from tests.tools import run, tool


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's: both together have 107 bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


class TestTmux:
    """scripts/timecheck-tmux keeps the worker running, as the original service did."""

    @pytest.fixture
    def folder(self, short: Path, migrated: Path) -> Iterator[Path]:
        tool("tmux", "tmux")
        shutil.copy(migrated, short / "saver.db")
        yield short
        self._do(short, "stop")

    def _do(self, folder: Path, deed: str) -> subprocess.CompletedProcess[str]:
        # A tmux of its own, whatever runs on this machine.
        environ = {
            **environment(folder, {"sweep_every": 1}),
            "TMUX_TMPDIR": str(folder),
            "TIMECHECK_PYTHON": sys.executable,
        }
        return run(ROOT / "scripts" / "timecheck-tmux", deed, **environ)

    def _workers(self, folder: Path) -> list[int]:
        """The workers that log into this folder."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                asked = (entry / "cmdline").read_bytes().split(b"\0")
                ours = any(part.endswith(b"timecheck.py") for part in asked)
                if ours and (entry / "fd" / "2").readlink() == folder / "worker.log":
                    found.append(int(entry.name))
        return found

    def test_a_worker_that_was_killed_is_there_again(self, folder: Path) -> None:
        assert self._do(folder, "start").returncode == 0
        wait_until(lambda: "worker up" in self._log(folder), "no worker is there")
        [first] = self._workers(folder)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: self._log(folder).count("worker up") == 2, "no other one came")
        assert self._workers(folder) not in ([first], [])
        assert re.search(
            r"^\d{4}-\S+Z the worker ended with 137; a new one starts in 1 s$", self._log(folder), re.M
        )

    def test_there_is_never_a_second_one(self, folder: Path) -> None:
        self._do(folder, "start")
        wait_until(lambda: "worker up" in self._log(folder), "no worker is there")
        assert "runs already" in self._do(folder, "start").stdout
        refused = self._do(folder, "keep-running")
        assert (refused.returncode, "already" in refused.stderr) == (75, True)
        assert len(self._workers(folder)) == 1

    def test_it_stops_the_worker_in_order(self, folder: Path) -> None:
        self._do(folder, "start")
        wait_until(lambda: "worker up" in self._log(folder), "no worker is there")
        assert self._do(folder, "stop").returncode == 0
        wait_until(lambda: "worker down" in self._log(folder), "it did not end in order")
        wait_until(lambda: not self._workers(folder), "it is still there")
        assert self._do(folder, "status").returncode != 0

    def _log(self, folder: Path) -> str:
        log = folder / "worker.log"
        return log.read_text() if log.exists() else ""
