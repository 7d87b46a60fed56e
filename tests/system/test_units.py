"""The shipped files for systemd and tmux: checked by the tools themselves, and run if possible."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from saver.settings import Settings
from tests.conftest import NO_LIMITS
from tests.support import leftovers
from tests.support.process import wait_until
from tests.support.server import ROOT, environment
from tests.support.snapshot import put_codes
from tests.support.tools import run, tool

SYSTEMD = ROOT / "deploy" / "systemd"
SERVICES = sorted(SYSTEMD.glob("*.service"))
UNITS = sorted([*SERVICES, *SYSTEMD.glob("*.socket"), *SYSTEMD.glob("*.timer")])
NETWORKED = tuple(f"saver-{name}.service" for name in ("migrate", "web", "worker", "backup"))
# Exposure as systemd measures it, times ten: 0 is safe, 100 is not protected at all.
MAX_EXPOSED = 20


def parsed(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with only our units and the files that they name."""
    root = tmp_path_factory.mktemp("root")
    units = root / "etc" / "systemd" / "system"
    shutil.copytree(SYSTEMD, units)
    for program in ("python", "flask"):
        path = root / "opt" / "saver" / ".venv" / "bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for target in ("multi-user", "sockets", "timers", "sysinit", "basic", "shutdown"):
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    (units / "-.slice").write_text("[Unit]\nDescription=root\n")
    (units / "system.slice").write_text("[Unit]\nDescription=system\n")
    return root


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_to_complain_of(tree: Path, unit: Path) -> None:
    said = verify(tree, unit.name)
    # For many mistakes its exit status is 0, so its output is checked too.
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def verify(tree: Path, name: str) -> subprocess.CompletedProcess[str]:
    analyze = tool("systemd-analyze", "systemd")
    return run(analyze, "--man=no", "--recursive-errors=yes", f"--root={tree}", "verify", name)


def test_a_mistyped_line_would_be_found(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "root", symlinks=True)
    unit = tmp_path / "root" / "etc" / "systemd" / "system" / "saver-worker.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))
    said = verify(tmp_path / "root", unit.name)
    assert "ProtectSytem" in said.stdout + said.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_has_few_privileges(unit: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    said = run(analyze, "security", "--offline=true", f"--threshold={MAX_EXPOSED}", "--no-pager", unit)
    assert said.returncode == 0, said.stdout[-2_000:] + said.stderr


@pytest.fixture(scope="module")
def app_server(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same machine as one of several app servers."""
    root = tmp_path_factory.mktemp("app-server") / "root"
    shutil.copytree(tree, root, symlinks=True)
    units = root / "etc" / "systemd" / "system"
    for unit in NETWORKED:
        (units / f"{unit}.d").mkdir()
        shutil.copy(SYSTEMD / "app-server" / "network.conf", units / f"{unit}.d")
    (units / "saver-web.socket.d").mkdir()
    shutil.copy(SYSTEMD / "app-server" / "address.conf", units / "saver-web.socket.d")
    return root


@pytest.mark.parametrize("unit", [*NETWORKED, "saver-web.socket"])
def test_the_units_of_an_app_server_are_well(app_server: Path, unit: str) -> None:
    said = verify(app_server, unit)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize("unit", NETWORKED)
def test_an_app_server_has_few_privileges(app_server: Path, unit: str) -> None:
    where = ("--offline=true", f"--root={app_server}", f"--threshold={MAX_EXPOSED}", "--no-pager")
    said = run(tool("systemd-analyze", "systemd"), "security", *where, unit)
    assert said.returncode == 0, said.stdout[-2_000:] + said.stderr
    # Without the drop-in for an app server it would have no network.
    assert "✗ PrivateNetwork=" in said.stdout


def test_every_service_is_hardened_alike() -> None:
    blocks = {
        unit.read_text().partition("# What it cannot do")[2].partition("\n[")[0].rstrip() for unit in SERVICES
    }
    assert len(blocks) == 1
    assert len(blocks.pop()) > 500


@pytest.mark.parametrize("name", ["saver-web.service", "saver-worker.service"])
def test_what_must_run_is_started_again_for_ever(name: str) -> None:
    unit = parsed(SYSTEMD / name)
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_timer_fires(tree: Path) -> None:
    when = parsed(SYSTEMD / "saver-backup.timer")["Timer"]["OnCalendar"]
    assert run(tool("systemd-analyze", "systemd"), "calendar", when).returncode == 0
    assert (SYSTEMD / "saver-backup.service").exists()


def test_the_settings_file_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in (SYSTEMD / "saver.env").read_text().splitlines() if line and line[0] != "#"]
    for line in lines:
        monkeypatch.setenv(*line.split("=", 1))
    settings = Settings(_env_file=None)
    assert settings.data_dir == Path("/var/lib/saver")
    assert settings.trusted_proxies == ("unix",)


def test_users_and_folders_are_made(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    sysusers, tmpfiles = tool("systemd-sysusers", "systemd"), tool("systemd-tmpfiles", "systemd")
    made = run(sysusers, f"--root={root}", SYSTEMD / "sysusers.d" / "saver.conf")
    assert made.returncode == 0, made.stderr
    assert re.search(
        r"^saver:x:\d+:\d+:saver, a service:/var/lib/saver:/", (root / "etc" / "passwd").read_text(), re.M
    )
    made = run(tmpfiles, f"--root={root}", "--create", SYSTEMD / "tmpfiles.d" / "saver.conf")
    if os.geteuid() == 0:
        assert made.returncode == 0, made.stderr
        modes = {
            name: oct((root / name).stat().st_mode & 0o777) for name in ("var/lib/saver", "var/backups/saver")
        }
        assert set(modes.values()) == {"0o700"}


class Activated:
    """The web service as systemd starts it, on a socket that is already open."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        shutil.copy(migrated, folder / "saver.db")
        put_codes(folder / "saver.db", ["aaaa", "bbbb", "cccc"])
        self.socket = folder / "web.sock"
        command = shlex.split(parsed(SYSTEMD / "saver-web.service")["Service"]["ExecStart"])[1:]
        activate = tool("systemd-socket-activate", "systemd")
        settings = {**NO_LIMITS, "misses_a_minute": 3, "trusted_proxies": "unix"}
        environ = environment(folder, settings)
        # Only named variables are passed on.
        named = [f"--setenv={name}" for name in environ if name.startswith(("SAVER_", leftovers.NAME))]
        self.log = folder / "web.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [activate, f"--listen={self.socket}", *named, "--setenv=PATH", sys.executable, *command],
                cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def listens(self) -> bool:
        """Whether the socket exists and accepts connections."""
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(self.socket))
            return True
        return False

    def ask(self, path: str, body: str, source: str) -> int:
        """POST; the status."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(self.socket))
            head = (
                f"POST {path} HTTP/1.1\r\nHost: saver\r\nConnection: close\r\nX-Forwarded-For: {source}\r\n"
            )
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall((head + body).encode())
            answer = client.makefile("rb").read()
        return int(answer.split()[1])

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, because the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def activated(short: Path, migrated: Path) -> Iterator[Activated]:
    made = Activated(short, migrated)
    yield made
    made.kill()


def test_the_web_service_serves_on_the_socket_that_it_is_given(activated: Activated) -> None:
    wait_until(activated.listens, "nobody listens")
    assert activated.ask("/api/v1/write", '{"text": "x"}', "192.0.2.1") == 201, activated.log.read_text()
    # Each client of the proxy has its own limit.
    missed = [activated.ask("/api/v1/load", '{"code": "zzzz"}', "192.0.2.1") for _ in range(4)]
    assert missed == [404, 404, 404, 429]
    assert activated.ask("/api/v1/load", '{"code": "zzzz"}', "192.0.2.2") == 404
    # After SIGTERM it leaves the socket to systemd.
    os.kill(activated.process.pid, signal.SIGTERM)
    assert activated.process.wait(30) == 0
    assert activated.socket.exists()


def shell_scripts() -> list[Path]:
    listed = [*(ROOT / "scripts").iterdir(), *(ROOT / "deploy").rglob("*"), *(ROOT / "apache").rglob("*")]
    texts = [path for path in listed if path.is_file() and path.suffix != ".pyc"]
    found = [path for path in texts if re.match(rb"#!.*\b(ba|da)?sh\b", path.read_bytes()[:80])]
    assert found
    return found


def test_every_shell_script_is_clean() -> None:
    said = run(tool("shellcheck", "shellcheck"), *shell_scripts())
    assert said.returncode == 0, said.stdout
