"""A backup of a PostgreSQL database by pg_dump."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine

# Makes the environment of a program that is started, from additional variables.
Environment = Callable[[Mapping[str, str]], Mapping[str, str]]


class DumpError(Exception):
    """There is no backup; the message says why."""


def dump(connection: Connection, target: Path, environment: Environment) -> None:
    """Dump what the transaction of ``connection`` sees into ``target``, an existing file, and read it again.

    Raises DumpError.
    """
    # The password is in the environment, because every user can read a command line.
    variables = environment(_connection_variables(connection.engine))
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    options = ("--format=custom", "--no-password", f"--snapshot={snapshot}")
    _run(["pg_dump", *options, f"--file={target}"], variables)
    _run(["pg_restore", "--file=/dev/null", str(target)], variables)


def _connection_variables(engine: Engine) -> dict[str, str]:
    from psycopg import pq  # noqa: PLC0415 - only for PostgreSQL

    _, arguments = engine.dialect.create_connect_args(engine.url)
    names = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    return {
        name.decode(): str(arguments[option])
        for option, name in names.items()
        if name and option in arguments
    }


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    try:
        result = subprocess.run(  # noqa: S603 - fixed commands
            command, env=variables, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DumpError(f"there is no {command[0]}: apt-get install postgresql-client") from None
    if result.returncode:
        raise DumpError(f"nothing was kept: {result.stderr.strip().partition(chr(10))[0]}")
