"""The short ones of deploy/drills: the others take minutes or root, see docs/operating.md."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from _cluster.faults import Drill
from _cluster.takeover import PairDrill

from tests.support.server import ROOT

DRILLS = ROOT / "deploy" / "drills"


@pytest.mark.parametrize("command", [["locked"], ["worker", "--short"]], ids=lambda command: command[0])
def test_a_drill_holds(command: list[str]) -> None:
    name, *options = command
    asked = [sys.executable, DRILLS / name, *options, "--python", sys.executable]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_drill_that_is_broken_says_so() -> None:
    asked = [sys.executable, DRILLS / "locked", "--python", "/bin/false"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0


def test_every_drill_has_its_figures_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text()
    names = {path.name for path in DRILLS.iterdir() if path.is_file() and not path.name.startswith("_")}
    assert names == set(re.findall(r"`deploy/drills/([\w-]+)", runbook))


def test_every_fault_of_several_servers_has_its_figures() -> None:
    page = (ROOT / "docs" / "several-servers.md").read_text()
    assert set(Drill.FAULTS) | set(PairDrill.FAULTS) == set(
        re.findall(r"^\| `([a-z-]+)`", page, re.MULTILINE)
    )
