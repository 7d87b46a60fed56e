"""Two users of the program, each with a home, and one service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.saver_program import Program
from tests.support.server import Server


@pytest.fixture
def program(live_server: Server, tmp_path: Path) -> Program:
    return made(tmp_path / "alice", live_server.url)


@pytest.fixture
def other(live_server: Server, tmp_path: Path) -> Program:
    """The same on another computer."""
    return made(tmp_path / "bob", live_server.url)


@pytest.fixture
def program_alone(tmp_path: Path) -> Program:
    """The program without a service."""
    return made(tmp_path / "alice")


def made(home: Path, service: str = "") -> Program:
    home.mkdir()
    return Program(home, service)
