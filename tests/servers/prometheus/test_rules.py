"""The alert rules and the dashboard that ship: promtool's tests, and whether their metrics exist."""

from __future__ import annotations

import json
import re
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from saver.codes import Code
from tests.support.process import Process, wait_until
from tests.support.server import ROOT, Server, environment
from tests.support.snapshot import put_codes
from tests.support.tools import run, tool

RULES = ROOT / "deploy" / "prometheus" / "saver.rules.yml"
CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "saver.json"
TESTS = Path(__file__).with_name("rules.test.yml")
RUNBOOK = "file:///opt/saver/docs/operating.md#"
METRIC = re.compile(r"\bsaver_[a-z0-9_]+")
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]


def dashboard_expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize(
    "command", [("check", "rules", RULES), ("check", "config", CONFIG), ("test", "rules", TESTS)], ids=str
)
def test_promtool_accepts_it(command: tuple[object, ...]) -> None:
    done = run(tool("promtool", "prometheus"), *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_is_wrong_fails_its_test(tmp_path: Path) -> None:
    rules = RULES.read_text().replace(
        "saver_oldest_overdue_seconds > 120", "saver_oldest_overdue_seconds > 121"
    )
    (tmp_path / "saver.rules.yml").write_text(rules)
    relative = "../../../deploy/prometheus/saver.rules.yml"
    (tmp_path / "test.yml").write_text(TESTS.read_text().replace(relative, "saver.rules.yml"))
    done = run(tool("promtool", "prometheus"), "test", "rules", tmp_path / "test.yml")
    assert done.returncode != 0
    assert "SaverTextsOverdue" in done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do_and_has_a_test(rule: dict[str, Any]) -> None:
    annotations = rule["annotations"]
    assert annotations["summary"]
    assert annotations["description"].endswith(".")
    assert annotations["runbook_url"] == RUNBOOK + rule["alert"].lower()
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    assert rule["alert"] in headings
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert re.search(rf"\b{rule['alert']}\b", TESTS.read_text())


@pytest.fixture(scope="module")
def shown_metrics(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> set[str]:
    """The names in /metrics of a service with a worker and a backup."""
    folder = tmp_path_factory.mktemp("watched")
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", [Code.nth(number) for number in range(100)])
    environ = environment(folder, {})
    flask = [sys.executable, "-m", "flask", "--app", str(ROOT / "saver"), "backup"]
    assert run(*flask, **environ).returncode == 0
    log = folder / "worker.log"
    command = [sys.executable, "-m", "saver.worker"]
    worker = Process(command, log, lambda: "worker up" in log.read_text(), folder=folder, environ=environ)
    with Server(folder, {}) as server:

        def names() -> set[str]:
            with urllib.request.urlopen(f"{server.url}/metrics") as answer:
                return set(METRIC.findall(answer.read().decode()))

        worker.start()
        try:
            server.post("/api/v1/load", {"code": "aaaa"})
            wait_until(lambda: "saver_sweeper_heartbeat_age_seconds" in names(), "a sweep")
            return names()
        finally:
            worker.stop()


@pytest.mark.parametrize(
    "expression", [*(rule["expr"] for rule in ALERTS), *dashboard_expressions()], ids=lambda text: text[:60]
)
def test_every_metric_exists(expression: str, shown_metrics: set[str]) -> None:
    assert set(METRIC.findall(expression)) <= shown_metrics
