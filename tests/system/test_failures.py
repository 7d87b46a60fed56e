"""The short failure tests: the others take minutes or root, see docs/operating.md."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.server import ROOT
from tests.system.cluster.failover import PairFaults
from tests.system.cluster.faults import Faults

FAILURES = ROOT / "tests" / "system" / "failures"


LOSES_TEXTS = """\
from tests.system.failures import locked, service
service.Service.load = lambda *_: None
locked.main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)


@pytest.mark.parametrize("command", [["locked"], ["worker", "--short"]], ids=lambda command: command[0])
def test_a_failure_test_passes(command: list[str]) -> None:
    name, *options = command
    done = run("-m", f"tests.system.failures.{name}", *options)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failure_test_that_fails_says_so() -> None:
    done = run("-c", LOSES_TEXTS)
    assert done.returncode != 0
    assert "BROKEN" in done.stderr


def test_every_failure_test_has_its_figures_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text()
    names = {path.stem for path in FAILURES.glob("*.py")} - {"__init__", "service"}
    assert names == set(re.findall(r"`tests\.system\.failures\.(\w+)", runbook))


def test_every_fault_of_several_servers_has_its_figures() -> None:
    page = (ROOT / "docs" / "several-servers.md").read_text()
    assert set(Faults.FAULTS) | set(PairFaults.FAULTS) == set(
        re.findall(r"^\| `([a-z-]+)`", page, re.MULTILINE)
    )
