"""PostgreSQL, alone or two under Patroni with etcd, with the settings that ship in deploy/postgresql."""

from __future__ import annotations

import json
import shutil
import urllib.request
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

from tests.system.checks import BrokenError, until
from tests.system.cluster.files import DEPLOY, Secrets, fill
from tests.system.cluster.network import Machine, on

SHIPPED = DEPLOY / "postgresql"
# A third member besides the two databases, so that two of three agree when one is down.
MEMBERS = ("db1", "db2", "cache")
_PRIMARY = 200


def programs() -> Path:
    """The folder with the programs of the newest PostgreSQL. Raises BrokenError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        raise BrokenError("there is no PostgreSQL: apt-get install -y postgresql")
    return found[-1].parent


class Postgres:
    """One server without a standby."""

    def __init__(self, machine: Machine, folder: Path, secrets: Secrets) -> None:
        self.machine = machine
        self._folder = folder / machine.name
        self._data = self._folder / "data"
        self._secrets = secrets

    def make(self) -> None:
        """Make the database and its access rules."""
        self._folder.mkdir()
        shutil.chown(self._folder, "postgres", "postgres")
        initdb = ("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=peer")
        self.machine.run(programs() / "initdb", "-D", self._data, *initdb, user="postgres", cwd="/")
        more = self._data / "conf.d"
        more.mkdir()
        fill(SHIPPED / "saver.conf", more / "saver.conf", {}, "postgres")
        fill(SHIPPED / "pg_hba.conf", self._data / "pg_hba.conf", {}, "postgres")
        shutil.chown(more, "postgres", "postgres")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write("include_dir = 'conf.d'\n")
        self.start()
        admit(self, self._secrets)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.machine.start(
            programs() / "postgres", "-D", self._data, "-k", self._folder, user="postgres", cwd=self._folder
        )
        until(self._answers, "PostgreSQL answers")

    def stop_immediately(self) -> None:
        """Stop it as a crash would: no checkpoint, and clients get no message."""
        self.machine.run(
            programs() / "pg_ctl", "stop", "-D", self._data, "-m", "immediate", user="postgres", cwd="/"
        )

    def ask(self, question: str, database: str = "saver") -> str:
        """Query the database directly; a line for each row, columns separated by ``|``."""
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self._folder, "-d", database)
        return self.machine.run(*psql, user="postgres", cwd="/", input=question).stdout.strip()

    def primary(self) -> Postgres:
        """Itself."""
        return self

    def _answers(self) -> bool:
        asked = (programs() / "pg_isready", "-q", "-h", self._folder)
        return self.machine.run(*asked, user="postgres", cwd="/", check=False).returncode == 0


def admit(server: Postgres | Member, secrets: Secrets) -> None:
    """Make saver's database and its owner, as docs/several-servers.md does."""
    server.ask(f"CREATE ROLE saver LOGIN PASSWORD '{secrets.database}'", "postgres")
    server.ask("CREATE DATABASE saver OWNER saver", "postgres")


class Member:
    """One of the two under Patroni, or the third member of etcd."""

    def __init__(self, machine: Machine, folder: Path, secrets: Secrets) -> None:
        self.machine = machine
        self._folder = folder / f"{machine.name}-ha"
        self._secrets = secrets

    def make(self) -> None:
        """Write its files."""
        self._folder.mkdir()
        shutil.chown(self._folder, "postgres", "postgres")
        (self._folder / "data").mkdir(mode=0o700)
        shutil.chown(self._folder / "data", "postgres", "postgres")
        text = (SHIPPED / "etcd").read_text()
        own = [line for line in text.splitlines() if line.startswith("ETCD_") and "CLUSTER=" not in line]
        shared = [line for line in text.splitlines() if "CLUSTER=" in line]
        named = [line.replace("NAME=db1", f"NAME={self.machine.name}") for line in own]
        moved = [line.replace("10.78.0.31", self.machine.address) for line in named]
        placed = [line.replace("/var/lib/etcd/saver", str(self._folder / "etcd")) for line in moved]
        self._etcd = dict(line.split("=", 1) for line in [*placed, *shared])
        if self.machine.name != MEMBERS[-1]:
            self._write_patroni()

    def start_etcd(self) -> None:
        """Start etcd's member."""
        environ = {**self._etcd, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self._folder)}
        self.etcd = self.machine.start("etcd", user="postgres", environ=environ, cwd=self._folder)

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self._folder), "LANG": "C.UTF-8"}
        program = ("/usr/bin/patroni", self._folder / "patroni.yml")
        self.machine.start(*program, user="postgres", environ=environ, cwd=self._folder)

    def state(self) -> dict[str, Any]:
        """Its state as Patroni reports it; empty without an answer."""
        return self._patroni("patroni")

    def roles(self) -> list[str]:
        """The roles of all members as it reports them, in order; empty without an answer."""
        found = self._patroni("cluster").get("members", [])
        well = [each for each in found if each["state"] in ("running", "streaming")]
        return sorted(str(each["role"]) for each in well)

    def is_primary(self) -> bool:
        """Whether it takes writes."""
        state = self.state()
        return state.get("role") in ("master", "primary") and state.get("state") == "running"

    def ask(self, question: str, database: str = "saver", timeout: float | None = None) -> str:
        """Query the database directly. Raises BrokenError also after a timeout."""
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self._folder, "-d", database)
        try:
            asked = self.machine.run(*psql, user="postgres", cwd="/", input=question, timeout=timeout)
        except TimeoutExpired:
            raise BrokenError(f"no answer in {timeout} s") from None
        return asked.stdout.strip()

    def patronictl(self, *words: object) -> str:
        """Patroni's tool, on this machine."""
        tool = ("/usr/bin/patronictl", "-c", self._folder / "patroni.yml", *words)
        environ = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self._folder)}
        return self.machine.run(*tool, user="postgres", cwd="/", env=environ).stdout

    def _patroni(self, what: str) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with urllib.request.urlopen(f"http://{self.machine.address}:8008/{what}", timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
                return found

        with suppress(OSError, ValueError):
            result: dict[str, Any] = on(self.machine, ask)
            return result
        return {}

    def _write_patroni(self) -> None:
        changes: dict[str, object] = {
            "PASSWORD-OF-PATRONI": self._secrets.patroni,
            "PASSWORD-OF-POSTGRES": self._secrets.postgres,
            "PASSWORD-OF-REPLICATOR": self._secrets.replicator,
            "PASSWORD-OF-REWINDER": self._secrets.rewinder,
            "/var/lib/postgresql/15/saver": self._folder / "data",
            "/var/lib/postgresql/.patroni.pgpass": self._folder / "pgpass",
            "/usr/lib/postgresql/15/bin": programs(),
            "/var/run/postgresql": self._folder,
            "name: db1": f"name: {self.machine.name}",
            # A watchdog would be the host's.
            "mode: automatic": "mode: off",
            **{
                f"{word}: 10.78.0.31:{port}": f"{word}: {self.machine.address}:{port}"
                for word in ("listen", "connect_address")
                for port in (8008, 5432)
            },
        }
        fill(SHIPPED / "patroni.yml", self._folder / "patroni.yml", changes, "postgres")


class Pair:
    """A primary and its standby; Patroni decides which is which."""

    def __init__(self, machines: dict[str, Machine], folder: Path, secrets: Secrets) -> None:
        self.members = {name: Member(machines[name], folder, secrets) for name in MEMBERS}
        self._secrets = secrets

    @property
    def servers(self) -> list[Member]:
        """Those with a database."""
        return [self.members[name] for name in MEMBERS[:-1]]

    def make(self) -> None:
        """Make both, and wait until what is acknowledged is on both."""
        for member in self.members.values():
            member.make()
            member.start_etcd()
        first, second = self.servers
        until(self._etcd_agrees, "etcd has a leader")
        first.start()
        until(first.is_primary, "there is a primary")
        second.start()
        until(self.is_whole, "the standby is synchronous")
        admit(self.primary(), self._secrets)

    def primary(self) -> Member:
        """The member that accepts writes. Raises BrokenError if none or both do."""
        found = [member for member in self.servers if member.is_primary()]
        if len(found) != 1:
            raise BrokenError(f"{len(found)} primaries")
        return found[0]

    def standby(self) -> Member:
        """The other one."""
        primary = self.primary()
        return next(member for member in self.servers if member is not primary)

    def is_whole(self) -> bool:
        """Whether there are two and commits wait for both."""
        agreed = all(member.roles() == ["leader", "sync_standby"] for member in self.servers)
        return agreed and any(member.is_primary() for member in self.servers)

    def start_member(self, name: str) -> None:
        """Start again what ran on a machine that died."""
        self.members[name].start_etcd()
        self.members[name].start()

    def _etcd_agrees(self) -> bool:
        asked = (
            "etcdctl",
            "endpoint",
            "health",
            f"--endpoints=http://{self.servers[0].machine.address}:2379",
        )
        environ = {"PATH": "/usr/bin:/bin", "ETCDCTL_API": "3", "HOME": "/"}
        return self.servers[0].machine.run(*asked, check=False, env=environ).returncode == 0
