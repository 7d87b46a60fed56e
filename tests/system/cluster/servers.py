"""What runs on the other machines: the app servers and their workers, Redis, HAProxy."""

from __future__ import annotations

import csv
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.system.checks import BrokenError, until
from tests.system.cluster.files import DEPLOY, ROOT, Secrets, fill
from tests.system.cluster.network import Machine

PAGE = ROOT / "docs" / "several-servers.md"
PORT = 8000
# The rest of the web site, if the service is below a path.
_OTHERS = """
backend others
    http-request return status 200 content-type text/plain string others
"""
_MARK = "    # SUB-PATH: docs/several-servers.md has the lines for a service below a path.\n"


class App:
    """One app server: the API on the socket that systemd would open, and a worker."""

    def __init__(self, machine: Machine, folder: Path, settings: Mapping[str, str]) -> None:
        self.machine = machine
        # An upgrade exchanges it.
        self.code = ROOT
        self._data = folder / machine.name
        self._data.mkdir(mode=0o700)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
        place = {
            "SAVER_DATA_DIR": str(self._data),
            "SAVER_ENV_FILE": "",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.environ = {**inherited, **settings, **place}
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def flask(self, *words: str) -> str:
        """Run an operator's command; its output."""
        asked = (sys.executable, "-m", "flask", "--app", "saver", *words)
        return self.machine.run(*asked, cwd=self.code, env=self.environ).stdout

    def prepare(self) -> None:
        """As saver-migrate.service does it."""
        self.machine.run(
            sys.executable, "-m", "saver.serve", "--only-prepare", cwd=self.code, env=self.environ
        )

    def start_web(self) -> None:
        """As saver-web.service does it."""
        # By name and without values, because every user can see a command line.
        handed = [
            f"--setenv={name}" for name in self.environ if name.startswith(("SAVER_", "PYTHON", "PATH"))
        ]
        activate = ("systemd-socket-activate", f"--listen={self.machine.address}:{PORT}", *handed)
        serve = (sys.executable, "-m", "saver.serve", "--activated")
        self.web = self.machine.start(*activate, *serve, environ=self.environ, cwd=self.code)

    def start_worker(self) -> None:
        """As saver-worker.service does it."""
        worker = (sys.executable, "-m", "saver.worker")
        self.worker = self.machine.start(*worker, environ=self.environ, cwd=self.code)

    def start(self) -> None:
        """Start both."""
        self.start_web()
        self.start_worker()


def end(process: subprocess.Popen[bytes] | None, number: int = signal.SIGKILL) -> None:
    """Signal a process, and with SIGKILL all of its children too; wait until it is gone."""
    if process is None:
        return
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    process.wait(60)


class Redis:
    """The Redis with the counts."""

    def __init__(self, machine: Machine, folder: Path, secrets: Secrets) -> None:
        self.machine = machine
        self._folder = folder / "redis"
        self._folder.mkdir()
        self._file = self._folder / "redis.conf"
        changes = {"PASSWORD-OF-REDIS": secrets.redis, "/var/lib/redis": self._folder}
        fill(DEPLOY / "redis" / "redis.conf", self._file, changes)
        self._environ = {"PATH": "/usr/bin:/bin", "REDISCLI_AUTH": secrets.redis}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = self.machine.start("redis-server", self._file)
        until(lambda: "PONG" in self.ask("ping"), "Redis answers")

    def kill(self) -> None:
        """kill -9."""
        end(self._process)

    def ask(self, *words: str) -> str:
        """Its answer to a command."""
        asked = ("redis-cli", "-h", self.machine.address, *words)
        return self.machine.run(*asked, check=False, env=self._environ).stdout


class Balancer:
    """HAProxy with the file that ``deploy`` ships; ``below`` mounts the service below a path."""

    def __init__(self, machine: Machine, folder: Path, below: str = "", deploy: Path = DEPLOY) -> None:
        self.machine = machine
        self._file = folder / "haproxy.cfg"
        self._socket = folder / "haproxy.sock"
        changes: dict[str, object] = {
            "/dev/log local0": "stdout format raw local0",
            "/opt/saver": ROOT,
            "/etc/haproxy/saver.pem": folder / "saver.pem",
            "/run/haproxy/admin.sock": self._socket,
        }
        if below:
            changes[_MARK] = lines(below)
        fill(deploy / "haproxy" / "haproxy.cfg", self._file, changes)
        if below:
            with self._file.open("a") as file:
                file.write(_OTHERS)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.process = self.machine.start("haproxy", "-W", "-f", self._file)

    def reload(self) -> None:
        """What `systemctl reload haproxy` does."""
        if self.process:
            self.process.send_signal(signal.SIGUSR2)

    def command(self, order: str) -> str:
        """Send a command to its admin socket; the answer."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._socket))
            admin.sendall(f"{order}\n".encode())
            return admin.makefile().read()

    def ready(self) -> set[str]:
        """The app servers that it uses now. Until the first check it uses all."""
        wanted = ("UP", "L7OK")
        return {row["svname"] for row in self._rows() if (row["status"], row["check_status"]) == wanted}

    def sessions(self, server: str) -> int:
        """How many requests are on an app server now."""
        return sum(int(row["scur"]) for row in self._rows() if row["svname"] == server)

    def _rows(self) -> list[dict[str, str]]:
        if not self._socket.exists():
            return []
        found = csv.DictReader(self.command("show stat").removeprefix("# ").splitlines())
        return [row for row in found if row["pxname"] == "ready" and row["svname"].startswith("app")]


def lines(below: str) -> str:
    """The page's lines for a service below a path, for this path. Raises BrokenError."""
    found = re.search(r"^```haproxy\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise BrokenError(f"{PAGE.name} has no lines for HAProxy")
    return found[1].replace("/memo", below)


def settings_of_an_app(secrets: Secrets, *, pair: bool) -> dict[str, str]:
    """The settings that the page has, with this cluster's secrets."""
    blocks = re.findall(r"^```env\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    found = dict(line.split("=", 1) for block in blocks[: 1 + pair] for line in block.splitlines())
    del found["SAVER_DATA_DIR"]
    words = {
        "SECRET-OF-SAVER": secrets.server,
        "PASSWORD-OF-SAVER": secrets.database,
        "PASSWORD-OF-REDIS": secrets.redis,
    }
    for word, secret in words.items():
        found = {name: value.replace(word, secret) for name, value in found.items()}
    return found
