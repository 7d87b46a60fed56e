"""A test of the tests: each patch of ``patches.py`` must make a test fail in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.patches import PATCHES, Patch
from tests.support.server import ROOT

TIMEOUT = 600
COPIED = ("saver", "migrations", "scripts", "extension", "deploy", "apache", "tests")

Result = subprocess.CompletedProcess[str]


def copy_project(folder: Path) -> Path:
    """Copy the project. pytest puts the copy first on the path, so nothing is imported from the original."""
    for name in COPIED:
        # Python could use a compiled file although its source was changed later.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def apply(patch: Patch, folder: Path) -> None:
    path = folder / patch.file
    source = path.read_text(encoding="utf-8")
    assert source.count(patch.old) == 1, f"{patch.file} was changed: change this patch too"
    path.write_text(source.replace(patch.old, patch.new), encoding="utf-8")
    if path.suffix == ".py":
        compile(path.read_text(encoding="utf-8"), patch.file, "exec")


def run_tests(folder: Path, *tests: str) -> Result:
    """Run tests of a copy until the first failure."""
    ours = {"PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"}
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "--basetemp", str(folder / "temporary"), *tests],
        cwd=folder,
        env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_makes_a_test_fail(patch: Patch, tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "copy")
    apply(patch, folder)
    result = run_tests(folder, patch.caught_by)
    output = result.stdout[-3_000:] + result.stderr[-1_000:]
    # If the copy cannot be imported, every test fails, which proves nothing.
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, f"not caught by {patch.caught_by}:\n{output}"
    assert re.search(r"^1 failed", result.stdout, re.MULTILINE), output
    assert not re.search(r"\berrors?\b in ", result.stdout.splitlines()[-1]), output


def test_without_a_patch_the_same_tests_pass(tmp_path: Path) -> None:
    result = run_tests(copy_project(tmp_path / "copy"), *sorted({patch.caught_by for patch in PATCHES}))
    assert result.returncode == pytest.ExitCode.OK, result.stdout[-3_000:]
