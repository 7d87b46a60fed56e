"""Processes that a killed run of the tests started end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.process import wait_until
from tests.support.server import ROOT

# Daemons, processes in another session, a process that ignores signals: all that tests start.
TEST = """\
import os, signal, subprocess, sys
from pathlib import Path
from tests.support.process import wait_until

def pids(*names):
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if any(name.encode() in words for name in names):
            yield int(folder.name)

def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

def test_that_is_killed(cluster, started_redis, live_server, tmp_path):
    deaf = "import signal, sys; signal.signal(15, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", deaf, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True,
    )
    child.stdout.readline()
    server = live_server.parent
    wait_until(lambda: len(children(server)) == 2, "both processes serve")
    ours = [*pids(str(cluster.data), str(started_redis.port), str(tmp_path)), server, *children(server)]
    Path(os.environ["PIDS"]).write_text(" ".join(str(pid) for pid in ours if pid != os.getpid()))
    signal.pause()
"""


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import *\nfrom tests.conftest import _no_settings_from_outside\n"
    )
    (tmp_path / "test_killed.py").write_text(TEST)
    pids = tmp_path / "pids"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'deploy'}:{ROOT / 'scripts'}",
        "PIDS": str(pids),
    }
    with (tmp_path / "log").open("wb") as log:
        run = subprocess.Popen(
            [*command, "--basetemp", tmp_path / "temporary", tmp_path / "test_killed.py"],
            cwd=tmp_path, env=environ, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until(
            lambda: run.poll() is not None or (pids.exists() and pids.read_text()),
            "it starts nothing",
            120,
        )
        assert run.poll() is None, (tmp_path / "log").read_text()
        started = [int(pid) for pid in pids.read_text().split()]
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    # PostgreSQL, Redis, gunicorn and its two processes, and one that ignores SIGTERM.
    assert len(started) >= 6
    wait_until(lambda: not any(map(is_there, started)), f"{started} are still there", 60)
