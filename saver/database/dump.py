"""A backup of a PostgreSQL database, made by pg_dump."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine

# Makes the environment of a subprocess: this process's environment with some variables changed.
Environment = Callable[[Mapping[str, str]], Mapping[str, str]]


class DumpError(Exception):
    """The backup failed; the message says why."""


def dump(connection: Connection, target: Path, environment: Environment) -> None:
    """Write the snapshot of ``connection``'s transaction to the existing file ``target``, and read it again.

    Raises DumpError.
    """
    # The address is in the environment: every user of the machine sees a command line.
    variables = environment(_address_variables(connection.engine))
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    options = ("--format=custom", "--no-password", f"--snapshot={snapshot}")
    _run(["pg_dump", *options, f"--file={target}"], variables)
    _run(["pg_restore", "--file=/dev/null", str(target)], variables)


def _address_variables(engine: Engine) -> dict[str, str]:
    from psycopg import pq  # noqa: PLC0415 - an extra

    _, given = engine.dialect.create_connect_args(engine.url)
    names = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    return {name.decode(): str(given[option]) for option, name in names.items() if name and option in given}


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the commands are ours
            command, env=variables, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DumpError(f"there is no {command[0]}: apt-get install postgresql-client") from None
    if done.returncode:
        raise DumpError(f"nothing was kept: {done.stderr.strip().partition(chr(10))[0]}")
