"""The files for containers: linted, hardened, without secrets.

Nothing is built here: tests/system/containers.py builds and runs them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from saver.settings import Settings
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def test_the_linter_finds_no_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    asked = subprocess.run([hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (0, "")


@each_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    # No folder of the host is mounted: every volume has a name.
    assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])


@each_service
def test_a_service_s_image_is_a_target_that_checks_its_health(name: str) -> None:
    target = SERVICES[name]["build"]["target"]
    stage = re.search(rf"^FROM \S+ AS {target}$(.+?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert stage
    assert re.search(r"^USER 10001:10001$", stage[1], re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", stage[1], re.MULTILINE)
    assert SERVICES[name]["build"]["dockerfile"] == "deploy/docker/Dockerfile"
    assert (FOLDER / SERVICES[name]["build"]["context"]).resolve() == ROOT


@each_service
def test_a_service_waits_for_services_that_there_are(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        ends = SERVICES[other]["restart"] == "no"
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")


@each_service
def test_only_settings_that_there_are_are_set(name: str) -> None:
    known = {f"SAVER_{field.upper()}" for field in Settings.model_fields}
    given = {key for key in SERVICES[name].get("environment", {}) if key.startswith("SAVER_")}
    assert given <= known
    assert set(re.findall(r"\bSAVER_[A-Z_]+", DOCKERFILE)) <= known


def test_no_secret_is_written_down() -> None:
    for text in (TEXT, DOCKERFILE):
        assert not re.search(r"(?i)secret|password\s*[:=]|token|-----BEGIN", text)
    # Only variables with a default in the file may be empty.
    assert set(re.findall(r"\$\{\w+:-([^}]*)\}", TEXT)) == {""}


def test_only_nginx_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("migrate", "app", "worker", "postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_what_is_copied_is_there_and_reaches_the_build() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in shlex.split(line)[:-1]:
            assert (ROOT / source).exists()
            assert any(source == each or source.startswith(f"{each}/") for each in let_in)


def test_everybody_means_the_same_socket() -> None:
    site = (ROOT / "deploy" / "nginx" / "saver.conf").read_text()
    assert "unix:/run/saver/saver.sock" in site
    assert "unix:/run/saver/saver.sock" in DOCKERFILE
    assert 'SOCKET = "/run/saver/saver.sock"' in (FOLDER / "healthy").read_text()
