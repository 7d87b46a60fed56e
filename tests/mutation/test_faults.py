"""A test of the tests: each fault of ``faults.py`` is planted in a copy and must be caught there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.mutation import client_faults, faults, faults_postgresql
from tests.mutation.faults import FIRST_EXAMPLE, Fault
from tests.support.server import ROOT

FAULTS = [*faults.FAULTS, *faults_postgresql.FAULTS, *client_faults.FAULTS]
AT_ONCE = 2
MOST_SECONDS = 600
COPIED = ("saver", "migrations", "scripts", "extension", "deploy", "apache", "tests")

Ended = subprocess.CompletedProcess[str]


def copy_house(source: Path, folder: Path) -> Path:
    """A copy that imports nothing from here: pytest puts the folder of its tests first on the path."""
    for name in COPIED:
        # Compiled files could be taken for those of a source that was changed since.
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(source / name, folder)
    return folder


def plant(fault: Fault, folder: Path) -> None:
    path = folder / fault.file
    source = path.read_text(encoding="utf-8")
    assert source.count(fault.old) == 1, f"{fault.file} was changed: plant this fault anew"
    path.write_text(source.replace(fault.old, fault.new), encoding="utf-8")
    if path.suffix == ".py":
        compile(path.read_text(encoding="utf-8"), fault.file, "exec")


def run_tests(folder: Path, *tests: str) -> Ended:
    """Run tests of a copy, up to the first failure."""
    ours = {"PYTHONPATH", "PYTEST_ADDOPTS"}
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["-p", "tests.mutation.faults", "--hypothesis-profile", FIRST_EXAMPLE]
    return subprocess.run(
        [*command, "--basetemp", str(folder / "temporary"), *tests],
        cwd=folder,
        env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )


def try_fault(fault: Fault, house: Path, folder: Path) -> Ended:
    plant(fault, copy_house(house, folder))
    return run_tests(folder, fault.caught_by)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house as it is when the first fault is planted, whoever goes on building meanwhile."""
    return copy_house(ROOT, tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, house: Path
) -> Iterator[dict[str, Future[Ended]]]:
    """Every fault that this run asks for, tried two at a time while the first results are read."""
    asked = [item.callspec.params["fault"] for item in request.session.items if "[fault-" in item.nodeid]
    folders = [tmp_path_factory.mktemp("fault") for _ in asked]
    with ThreadPoolExecutor(AT_ONCE) as executor:
        yield {
            fault.name: executor.submit(try_fault, fault, house, folder)
            for fault, folder in zip(asked, folders, strict=True)
        }
        executor.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"fault-{fault.name}")
def test_a_planted_fault_is_caught(fault: Fault, tried: dict[str, Future[Ended]]) -> None:
    ended = tried[fault.name].result(MOST_SECONDS * len(FAULTS))
    shown = ended.stdout[-3_000:] + ended.stderr[-1_000:]
    # By a test that failed: a copy that cannot even be imported would say nothing about the tests.
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, f"not caught by {fault.caught_by}:\n{shown}"
    assert re.search(r"^1 failed", ended.stdout, re.MULTILINE), shown
    assert not re.search(r"\berrors?\b in ", ended.stdout.splitlines()[-1]), shown


def test_without_a_fault_the_same_tests_pass(house: Path, tmp_path: Path) -> None:
    # The crashes take long and have their turn in the whole run anyway.
    tests = sorted({fault.caught_by for fault in FAULTS if "crash" not in fault.caught_by})
    ended = run_tests(copy_house(house, tmp_path / "copy"), *tests)
    assert ended.returncode == pytest.ExitCode.OK, ended.stdout[-3_000:]


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
