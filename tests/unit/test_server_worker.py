"""A worker that is told to stop while it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.process import wait_until

ROOT = Path(__file__).resolve().parents[2]
# Each worker is told to stop as soon as it loads the app.
APP = """
import os, pathlib, signal
from flask import Flask

def app():
    pathlib.Path(f"loaded-{os.getpid()}").touch()
    os.kill(os.getpid(), signal.SIGTERM)
    return Flask("app")
"""


def test_a_signal_before_the_app_is_loaded_ends_it(tmp_path: Path) -> None:
    (tmp_path / "stopped_early.py").write_text(APP)
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, "-m", "bench.same_server", "stopped_early:app"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=log)
    try:
        # Two processes are started, and others in place of those that have ended.
        wait_until(lambda: len([*tmp_path.glob("loaded-*")]) > 2, "a worker goes on")
    finally:
        server.terminate()
        server.wait()
