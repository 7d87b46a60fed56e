"""The baseline routes run under saver's server, so that a benchmark compares no two servers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.common import TEXT
from bench.servers import Served


@pytest.mark.parametrize("waits", [[], ["--waits"]])
def test_the_bare_routes_answer(tmp_path: Path, waits: list[str]) -> None:
    command = [sys.executable, "-m", "bench.same_server", "bench.baseline:baseline_app", *waits]
    with Served(command, {}, tmp_path / "log") as baseline:
        status, written = baseline.post("/api/v1/write", {"text": TEXT})
        assert status == 201
        assert baseline.post("/api/v1/load", {"code": written["code"]})[1]["text"] == TEXT
