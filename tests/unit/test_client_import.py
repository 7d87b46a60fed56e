"""The program for people starts without what only the server needs."""

from __future__ import annotations

import subprocess
import sys

from tests.support.server import ROOT

_HEAVY = {"flask", "werkzeug", "sqlalchemy", "alembic", "pydantic", "pydantic_settings", "gunicorn"}


def test_the_client_loads_nothing_of_the_server() -> None:
    program = "import saver.client.cli, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert "click" in loaded
    assert _HEAVY.isdisjoint(loaded)
