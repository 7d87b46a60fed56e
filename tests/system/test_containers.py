"""The files for containers: linted, hardened, without secrets.

Nothing is built here: tests/system/containers.py and single_container.py build and run them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from saver.settings import Settings
from tests.support.process import Process, free_port
from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)
SINGLE_TEXT = (FOLDER / "single.yaml").read_text()
SINGLE_COMPOSE: dict[str, Any] = yaml.safe_load(SINGLE_TEXT)
SINGLE: dict[str, Any] = SINGLE_COMPOSE["services"]["saver"]


def test_the_linter_finds_no_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    asked = subprocess.run([hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (0, "")


def stage(target: str) -> str:
    """The lines of one target of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {target}$(.+?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@each_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    is_confined(SERVICES[name], COMPOSE)


def test_the_single_container_can_do_no_more_than_it_must() -> None:
    is_confined(SINGLE, SINGLE_COMPOSE)


def is_confined(service: dict[str, Any], compose: dict[str, Any]) -> None:
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    # No folder of the host is mounted: every volume has a name.
    assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])


@each_service
def test_a_service_s_image_is_a_target_that_checks_its_health(name: str) -> None:
    is_built_here(SERVICES[name]["build"])


def test_the_single_container_s_image_is_a_target_that_checks_its_health() -> None:
    is_built_here(SINGLE["build"])


def is_built_here(build: dict[str, str]) -> None:
    lines = stage(build["target"])
    assert re.search(r"^USER 10001:10001$", lines, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", lines, re.MULTILINE)
    assert build["dockerfile"] == "deploy/docker/Dockerfile"
    assert (FOLDER / build["context"]).resolve() == ROOT


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
    for text in (TEXT, SINGLE_TEXT, DOCKERFILE):
        assert not re.search(r"(?i)secret|password\s*[:=]|token|-----BEGIN", text)
    # Only variables with a default in the file may be empty.
    for text in (TEXT, SINGLE_TEXT):
        assert set(re.findall(r"\$\{\w+:-([^}]*)\}", text)) == {""}


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


def test_the_single_container_has_one_port_and_one_volume() -> None:
    port, folder = single_environment()["SAVER_PORT"], single_environment()["SAVER_DATA_DIR"]
    assert single_environment()["SAVER_HOST"] == "0.0.0.0"
    assert SINGLE["ports"] == [f"{port}:{port}"]
    assert SINGLE["volumes"] == [f"saver:{folder}"]
    lines = stage("single")
    assert f"EXPOSE {port}\n" in lines
    assert f'VOLUME ["{folder}"]\n' in lines
    known = {f"SAVER_{field.upper()}" for field in Settings.model_fields}
    assert set(SINGLE["environment"]) <= known


def test_the_single_container_begins_with_nothing() -> None:
    """What Debian's image has, programs with setuid among it, is not in it."""
    assert re.search(r"^FROM scratch AS single$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^(?:COPY|ADD|RUN) .+", stage("single"), re.MULTILINE) == [
        "COPY --from=single-files /image /"
    ]


def test_the_command_of_the_single_container_serves_is_healthy_and_stops(tmp_path: Path) -> None:
    port = free_port()
    ours = {"SAVER_PORT": str(port), "SAVER_DATA_DIR": str(tmp_path), "SAVER_ENV_FILE": ""}
    without = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
    environ = {**without, **single_environment(), **ours, "PATH": os.environ["PATH"]}

    def is_healthy() -> bool:
        # The worker has swept, or it is not ready.
        command = [sys.executable, str(FOLDER / "healthy"), instruction("HEALTHCHECK .* CMD")[1]]
        asked = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        return asked.returncode == 0 and json.loads(asked.stdout)["sweeper"] == "ok"

    command = [sys.executable, *instruction("CMD")[1:]]
    service = Process(command, tmp_path / "log", is_healthy, folder=ROOT, environ=environ)
    service.start()
    service.stop()
    assert "saver: stopping" in service.log.read_text()


def instruction(name: str) -> list[str]:
    """The words of a command of the single container."""
    found = re.search(rf"^{name} (\[.+\])$", stage("single"), re.MULTILINE)
    assert found
    words: list[str] = json.loads(found[1])
    return words


def single_environment() -> dict[str, str]:
    """The environment of the single container."""
    found = re.search(r"^ENV (.+?[^\\])$", stage("single"), re.MULTILINE | re.DOTALL)
    assert found
    return dict(each.split("=", 1) for each in shlex.split(found[1].replace("\\\n", " ")))
