"""What a public host reads: the workflow runs what is there, and may only read."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.server import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
# An action at a commit, and the tag that the commit had.
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def document(name: str) -> Any:
    return yaml.safe_load((GITHUB / name).read_text("utf-8"))


def test_every_file_is_yaml() -> None:
    names = [str(path.relative_to(GITHUB)) for path in GITHUB.rglob("*.yml")]
    assert len(names) >= 5
    assert all(isinstance(document(name), dict) for name in names)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_its_actions_are_pinned(workflow: Any) -> None:
    found = yaml.safe_load(workflow.read_text("utf-8"))
    assert found["permissions"] == {"contents": "read"}
    assert not [job for job in found["jobs"].values() if "permissions" in job]
    uses = re.findall(r"uses: .*", workflow.read_text("utf-8"))
    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []
    for job in found["jobs"].values():
        checkout = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert [step["with"]["persist-credentials"] for step in checkout] == [False]


def test_what_a_workflow_runs_is_there() -> None:
    jobs = document("workflows/tests.yml")["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    scripts = [name for command in commands for name in re.findall(r"(?:\./scripts|\.ci)/\w+", command)]
    assert scripts == ["./scripts/test", ".ci/run", "./scripts/release"]
    assert all((ROOT / name).stat().st_mode & 0o111 for name in scripts)
    assert jobs["fast"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_every_place_with_packages_is_looked_at() -> None:
    updates = document("dependabot.yml")["updates"]
    places = {
        update["package-ecosystem"]: update.get("directories") or [update["directory"]] for update in updates
    }
    assert set(places) == {"pip", "npm", "github-actions", "docker"}
    requirements = [ROOT / "requirements.txt", *ROOT.glob("tests/**/requirements.txt")]
    assert {f"/{path.parent.relative_to(ROOT)}".replace("/.", "/") for path in requirements} == set(
        places["pip"]
    )
    assert [(ROOT / place.lstrip("/") / "Dockerfile").exists() for place in places["docker"]] == [True]
