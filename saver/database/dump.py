"""A backup of a PostgreSQL database by pg_dump."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine

# The environment of a program that is started, with what it is told by it.
Environment = Callable[[Mapping[str, str]], Mapping[str, str]]


class DumpError(Exception):
    """There is no backup; the message says why."""


def dump(connection: Connection, target: Path, environment: Environment) -> None:
    """Dump what the transaction of ``connection`` sees into ``target``, an existing file, and read it again.

    Raises DumpError.
    """
    # In the environment, because every user can read a command line.
    variables = environment(_connection_variables(connection.engine))
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    how = ("--format=custom", "--no-password", f"--snapshot={snapshot}")
    _run(["pg_dump", *how, f"--file={target}"], variables)
    _run(["pg_restore", "--file=/dev/null", str(target)], variables)


def _connection_variables(engine: Engine) -> dict[str, str]:
    from psycopg import pq  # noqa: PLC0415 - only for PostgreSQL

    _, given = engine.dialect.create_connect_args(engine.url)
    names = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    return {name.decode(): str(given[option]) for option, name in names.items() if name and option in given}


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, env=variables, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DumpError(f"there is no {command[0]}: apt-get install postgresql-client") from None
    if done.returncode:
        raise DumpError(f"nothing was kept: {done.stderr.strip().partition(chr(10))[0]}")
