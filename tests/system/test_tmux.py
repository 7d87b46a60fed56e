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

from tests.support.process import wait_until
from tests.support.server import ROOT, environment
from tests.support.tools import run, tool


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, because the path of a socket has at most 107 bytes."""
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

    def _do(self, folder: Path, action: str, **more: str) -> subprocess.CompletedProcess[str]:
        # A separate tmux server.
        environ = {
            **environment(folder, {"sweep_interval": 1}),
            "TMUX_TMPDIR": str(folder),
            "TIMECHECK_PYTHON": sys.executable,
            **more,
        }
        return run(ROOT / "scripts" / "timecheck-tmux", action, **environ)

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
        assert "worker down" in self._log(folder)
        assert self._workers(folder) == []
        assert self._do(folder, "status").returncode != 0

    def test_it_can_be_started_again_at_once(self, folder: Path) -> None:
        for _ in range(2):
            started = self._do(folder, "start")
            assert (started.returncode, started.stderr) == (0, "")
            assert self._do(folder, "stop").returncode == 0

    def test_it_runs_for_a_user_who_may_not_log_in(self, folder: Path) -> None:
        started = self._do(folder, "start", SHELL="/usr/sbin/nologin")
        assert (started.returncode, started.stderr) == (0, "")
        assert len(self._workers(folder)) == 1

    def test_a_worker_that_cannot_run_is_reported_and_not_restarted(self, folder: Path) -> None:
        python = folder / "python"
        script = f'[ "$1" = - ] && exec {sys.executable} -\necho "no worker here"; exit 3'
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        started = self._do(folder, "start", TIMECHECK_PYTHON=str(python))
        assert started.returncode == 1
        assert f"the worker does not run; {folder}/worker.log says:\nno worker here" in started.stderr
        assert self._do(folder, "status").returncode != 0

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({"SAVER_PORT": "eighty"}, "timecheck: SAVER_PORT: "),
            ({"TIMECHECK_PYTHON": "/nowhere/python"}, "timecheck: there is no /nowhere/python"),
        ],
    )
    def test_what_keeps_it_from_starting_is_a_sentence(
        self, folder: Path, more: dict[str, str], sentence: str
    ) -> None:
        started = self._do(folder, "start", **more)
        assert (started.returncode, started.stderr.count("\n")) == (1, 1)
        assert started.stderr.startswith(sentence)

    def test_the_folder_where_it_is_started_decides_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "elsewhere").mkdir()
        (folder / "settings.env").write_text(f"SAVER_DATA_DIR={folder}\n")
        monkeypatch.chdir(folder / "elsewhere")
        environ = {**environment(folder, {}), "TMUX_TMPDIR": str(folder), "TIMECHECK_PYTHON": sys.executable}
        del environ["SAVER_DATA_DIR"]
        environ["SAVER_ENV_FILE"] = str(folder / "settings.env")
        done = subprocess.run([ROOT / "scripts" / "timecheck-tmux", "start"], env=environ, check=False)
        assert done.returncode == 0
        assert "worker up" in self._log(folder)
        assert list((folder / "elsewhere").iterdir()) == []

    def _log(self, folder: Path) -> str:
        log = folder / "worker.log"
        return log.read_text() if log.exists() else ""
