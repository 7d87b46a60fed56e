"""The log of a real service in both formats: its lines, and what is in none of them."""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from saver.codes import Code
from tests.support.process import Process
from tests.support.server import ROOT, Server, environment
from tests.support.snapshot import put_codes
from tests.support.tools import run

SOURCE = "203.0.113.77"


@pytest.fixture
def folder(tmp_path: Path, migrated: Path) -> Path:
    shutil.copy(migrated, tmp_path / "saver.db")
    put_codes(tmp_path / "saver.db", [Code.nth(number * 1_461) for number in range(100)])
    return tmp_path


def use(server: Server) -> list[str]:
    """Write, load, guess, and make faults; what must not be in the log."""
    written = server.post("/api/v1/write", {"text": "CANARYTEXT", "password": "CANARYPASS"}, SOURCE)[1]
    code, token = str(written["code"]), str(written["owner_token"])
    for password, status in (("CANARYPASS", 200), ("CANARYWRONG", 404)):
        assert server.post("/api/v1/load", {"code": code, "password": password}, SOURCE)[0] == status
    assert server.post("/api/v1/delete", {"code": code, "owner_token": token}, SOURCE)[0] == 204
    assert server.post("/api/v1/write", {"text": "CANARY", "CANARY": 1}, SOURCE)[0] == 422
    assert server.get("/CANARY")[0] == 404
    # A storage that is away.
    (server.folder / "saver.db").rename(server.folder / "away")
    assert server.post("/api/v1/load", {"code": code}, SOURCE)[0] == 503
    (server.folder / "away").rename(server.folder / "saver.db")
    return [code, token, "CANARY", SOURCE]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_and_no_address_is_in_the_log(folder: Path, log_format: str) -> None:
    settings = {"log_format": log_format, "log_level": "DEBUG", "trusted_proxies": "127.0.0.1"}
    with Server(folder, settings) as server:
        secrets = use(server)
    log = server.log.read_text()
    assert "storage: " in log
    for secret in secrets:
        assert not re.search(rf"(?<![\w-]){re.escape(secret)}", log)
    lines = log.splitlines()
    assert any("Shutting down" in line for line in lines)
    if log_format == "json":
        for line in map(json.loads, lines):
            assert {*line} - {"exception", "location"} == {"ts", "level", "logger", "message"}
            age = datetime.now(UTC) - datetime.fromisoformat(line["ts"])
            assert timedelta(0) <= age < timedelta(minutes=5)
            assert line["ts"].endswith("Z")
        assert {"gunicorn.error", "saver.api.problems"} <= {json.loads(line)["logger"] for line in lines}
    else:
        assert not any(line.startswith("{") for line in lines)


SUPERVISES = """
import os, sys
from saver.logs import stderr_handler
from saver.supervisor import Child, block_signals, log_to, supervise
log_to(stderr_handler(sys.argv[1], "saver: %(message)s"))
block_signals()
sys.exit(supervise(Child("api", lambda: os._exit(3)), lambda: None))
"""


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_supervisor_logs_in_the_format(log_format: str) -> None:
    done = run(sys.executable, "-c", SUPERVISES, log_format, PYTHONPATH=str(ROOT))
    line = next(line for line in done.stderr.splitlines() if "API" in line)
    sentence = "the API stopped by itself (exit status 3), so everything is stopped"
    if log_format == "json":
        found = json.loads(line)
        assert (found["message"], found["level"]) == (sentence, "ERROR")
    else:
        assert line == f"saver: {sentence}"


def test_the_worker_logs_in_json(folder: Path) -> None:
    log = folder / "worker.log"
    worker = Process(
        [sys.executable, "-m", "saver.worker"],
        log,
        lambda: "worker up" in log.read_text(),
        folder=folder,
        environ=environment(folder, {"log_format": "json"}),
    )
    worker.start()
    worker.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [lines[0]["message"], lines[-1]["message"]] == ["worker up: a sweep every 5 s", "worker down"]
    assert {(line["logger"], line["level"]) for line in (lines[0], lines[-1])} == {("__main__", "INFO")}
