"""A PostgreSQL cluster in a folder, started and stopped as an operator would."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.support.process import free_port

_MISSING = "There is no PostgreSQL to run: apt-get install -y postgresql"
_USER = "saver"
# A test needs no protection against a power cut.
QUICK = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
_ALWAYS = {"listen_addresses": "127.0.0.1", "max_connections": "150", "autovacuum_naptime": "5s"}


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of a cluster."""

    port: int
    name: str

    @property
    def address(self) -> str:
        """The URL for SAVER_DATABASE_URL."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{self.name}"

    @contextmanager
    def closed(self) -> Iterator[None]:
        """The server refuses connections to it, and closes those that are open."""
        self._tell(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self.lose_connections()
        yield
        self._tell(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def lose_connections(self) -> None:
        """End every connection to it, as a restart of the server does."""
        self._tell(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def _tell(self, statement: str) -> None:
        tell_server(self.port, statement)

    def connect(self) -> psycopg.Connection:
        """A connection that does not use saver's code; ``with`` commits at its end."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user=_USER, dbname=self.name)


@contextmanager
def held(database: PostgresDatabase, statement: str) -> Iterator[None]:
    """Another client is in the middle of a transaction."""
    with database.connect() as other:
        other.execute(statement.encode())
        yield
        other.rollback()


def tell_server(port: int, statement: str) -> None:
    """Run a statement in the database ``postgres``."""
    with PostgresDatabase(port, "postgres").connect() as connection:
        connection.autocommit = True
        connection.execute(statement.encode())


def program(name: str) -> str:
    """The path of a program of PostgreSQL; on Debian the server's are not in PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(_MISSING)
    return path


class Cluster:
    """``with Cluster() as cluster: cluster.make()``; ``parent`` is where its folder is made."""

    def __init__(self, configuration: Mapping[str, str] | None = None, parent: Path | None = None) -> None:
        self._configuration = {**_ALWAYS, **(configuration or {})}
        self._folder = Path(tempfile.mkdtemp(prefix="saver-postgres-", dir=parent))
        self.data = self._folder / "data"
        self._names = count()
        self.port = free_port()

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", self.data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        lines = [f"{name} = '{value}'\n" for name, value in self._configuration.items()]
        lines += [f"port = {self.port}\n", f"unix_socket_directories = '{self._folder}'\n"]
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(lines)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def version(self) -> str:
        """The version of the server, for instance 15.8."""
        with PostgresDatabase(self.port, "postgres").connect() as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0].split()[0])

    def start(self) -> None:
        """Start and wait until it has recovered and takes connections."""
        self._run("pg_ctl", "-D", self.data, "-l", self._folder / "log", "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop; ``immediate`` leaves it as a crash would."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop", check=False)

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self._folder / "log").read_text()

    def make(self, template: PostgresDatabase | None = None) -> PostgresDatabase:
        """A new database, empty or a copy of another one."""
        name = f"saver{next(self._names)}"
        like = f" TEMPLATE {template.name}" if template else ""
        tell_server(self.port, f"CREATE DATABASE {name}{like}")
        return PostgresDatabase(self.port, name)

    def drop(self, database: PostgresDatabase) -> None:
        """Remove a database, even if clients are connected."""
        tell_server(self.port, f"DROP DATABASE {database.name} WITH (FORCE)")

    def _run(self, name: str, *arguments: object, check: bool = True) -> None:
        command = [program(name), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        # Into a file: the server inherits it, and would keep a pipe open.
        with (self._folder / "setup.log").open("ab") as log:
            done = subprocess.run(command, cwd=self._folder, stdout=log, stderr=log, check=False)
        if check and done.returncode != 0:
            logs = [path.read_text()[-2000:] for path in self._folder.glob("*log")]
            raise AssertionError(f"{name} failed:\n" + "\n".join(logs))
