"""The npm packages for checking the JavaScript: locked, and installed again when the lock changes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import _node
import pytest

from tests.support.node import NODE
from tests.support.server import ROOT

LOCK = json.loads((ROOT / "package-lock.json").read_text())
PACKAGES = {name: entry for name, entry in LOCK["packages"].items() if name}
Commands = list[list[str]]


def test_every_package_is_locked_by_its_sum_and_no_address() -> None:
    assert len(PACKAGES) > 100
    for name, entry in PACKAGES.items():
        assert entry["integrity"].startswith("sha512-"), name
        # Without URLs, so that npm uses the registry of the machine that installs.
        assert "resolved" not in entry, name
    assert not (ROOT / ".npmrc").exists()


def test_versions_are_exact_and_those_of_the_lock() -> None:
    asked = json.loads((ROOT / "package.json").read_text())
    assert asked["private"] is True
    assert asked["devDependencies"] == LOCK["packages"][""]["devDependencies"]
    for name, given in asked["devDependencies"].items():
        # Two versions of one package, one of them under another name.
        version = re.sub("^npm:[a-z]+@", "", given)
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert PACKAGES[f"node_modules/{name}"]["version"] == version


def test_node_is_new_enough_for_every_tool() -> None:
    run = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("v24.")


def test_npm_is_that_of_node() -> None:
    run = subprocess.run([*_node.npm(NODE), "--version"], capture_output=True, text=True, check=True)
    assert int(run.stdout.split(".")[0]) >= 11


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its own lock and no packages yet."""
    for name in _node.LOCKED:
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(_node, "ROOT", tmp_path)
    monkeypatch.setattr(_node, "MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(_node, "_STAMP", tmp_path / "node_modules" / ".stamp")
    monkeypatch.setattr(_node, "npm", lambda: ["npm"])
    return tmp_path


@pytest.fixture
def installing(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Commands]:
    """A fake npm that makes the folder again and exits with a status; yields its arguments."""

    def ending(status: int) -> Commands:
        asked: Commands = []

        def run_to_stderr(command: list[str | Path], _lock: tuple[int, ...]) -> int:
            asked.append([str(part) for part in command])
            (project / "node_modules").mkdir(exist_ok=True)
            (project / "node_modules" / ".stamp").unlink(missing_ok=True)
            return status

        monkeypatch.setattr(_node, "run_to_stderr", run_to_stderr)
        return asked

    return ending


def test_npm_is_asked_once_for_a_lock(project: Path, installing: Callable[[int], Commands]) -> None:
    asked = installing(0)
    _node.ensure_modules()
    _node.ensure_modules()
    assert len(asked) == 1
    assert asked[0][:5] == ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    (project / "package-lock.json").write_text('{"changed": true}')
    _node.ensure_modules()
    assert len(asked) == 2


def test_a_failure_is_said_and_tried_again(
    installing: Callable[[int], Commands], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = installing(1)
    for _ in range(2):
        with pytest.raises(SystemExit):
            _node.ensure_modules()
        assert "npm could not install package-lock.json" in capsys.readouterr().err
    assert len(asked) == 2


def test_where_there_is_no_node_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _node.node_of(tmp_path / "bin" / "python")
    assert "./scripts/test installs it" in capsys.readouterr().err
