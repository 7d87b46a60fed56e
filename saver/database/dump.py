"""Backups of a PostgreSQL database by pg_dump, and the way back by pg_restore."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine

# Makes the environment of a program that is started, from additional variables.
Environment = Callable[[Mapping[str, str]], Mapping[str, str]]


_SCHEMA = re.compile(r"^COPY \S*alembic_version .*\n(\w+)\n", re.MULTILINE)


class DumpError(Exception):
    """A program of PostgreSQL has failed; the message says why."""


def dump(connection: Connection, target: Path, environment: Environment) -> None:
    """Dump what the transaction of ``connection`` sees into ``target``, an existing file, and read it again.

    Raises DumpError.
    """
    variables = environment(_connection_variables(connection.engine))
    _refuse_older(connection, variables)
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    options = ("--format=custom", "--no-password", f"--snapshot={snapshot}")
    _run(["pg_dump", *options, f"--file={target}"], variables)
    _run(["pg_restore", "--file=/dev/null", str(target)], variables)


def schema_in(source: Path, environment: Environment) -> str | None:
    """Return the revision of the schema in a dump, or None if it has none. Raises DumpError."""
    options = ("--data-only", "--table=alembic_version", "--file=-")
    found = _SCHEMA.search(_run(["pg_restore", *options, str(source)], environment({})))
    return found[1] if found else None


def restore(engine: Engine, source: Path, environment: Environment) -> None:
    """Replace the tables of a database by those of a dump, in one transaction. Raises DumpError."""
    variables = environment(_connection_variables(engine))
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--no-password")
    target = ("--single-transaction", "--exit-on-error", f"--dbname={variables.get('PGDATABASE', '')}")
    _run(["pg_restore", *options, *target, str(source)], variables)


def _refuse_older(connection: Connection, variables: Mapping[str, str]) -> None:
    """Raise DumpError if pg_dump is older than the server."""
    server = int((connection.dialect.server_version_info or (0,))[0])
    found = re.search(r"\d+", _run(["pg_dump", "--version"], variables))
    if found and int(found[0]) < server:
        advice = f"apt-get install postgresql-client-{server}"
        raise DumpError(f"pg_dump {found[0]} is older than the server, which is {server}: {advice}")


def _connection_variables(engine: Engine) -> dict[str, str]:
    """Where the database is. Not arguments, because every user can read the password in a command line."""
    from psycopg import pq  # noqa: PLC0415 - only for PostgreSQL

    _, arguments = engine.dialect.create_connect_args(engine.url)
    names = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
    return {
        name.decode(): str(arguments[option])
        for option, name in names.items()
        if name and option in arguments
    }


def _run(command: list[str], variables: Mapping[str, str]) -> str:
    try:
        result = subprocess.run(  # noqa: S603 - fixed commands
            command, env=variables, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DumpError(f"there is no {command[0]}: apt-get install postgresql-client") from None
    if result.returncode:
        raise DumpError(result.stderr.strip().partition("\n")[0] or f"{command[0]} has failed")
    return result.stdout
