"""The database server that a copy goes to: checked, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.exc import ArgumentError, DBAPIError

from saver.database import Database, database_for, engine_options, is_supported, postgresql
from saver.ops.files import OperationError
from saver.store.copy import TABLES

_NOT_POSTGRESQL = "--to must be the URL of a PostgreSQL database, as in SAVER_DATABASE_URL"


@contextmanager
def open_target(url: str) -> Iterator[Engine]:
    """Yield an engine for the database at a URL. Raises OperationError, also if it cannot be reached."""
    try:
        supported = is_supported(url)
        engine = create_engine(url, **engine_options(url, 1)) if supported else None
    # The message may contain the URL.
    except (ArgumentError, ImportError, ValueError):
        engine = None
    if engine is None or database_for(engine).file:
        raise OperationError(_NOT_POSTGRESQL)
    database_for(engine).prepare()
    try:
        with translate_errors("the target cannot be used:", engine), engine.connect():
            pass
        yield engine
    finally:
        engine.dispose()


@contextmanager
def translate_errors(prefix: str, target: Engine) -> Iterator[None]:
    """Turn an error of the target into an OperationError that begins with ``prefix``."""
    driver = target.dialect.loaded_dbapi
    try:
        yield
    except (DBAPIError, driver.Error) as error:
        raise OperationError(f"{prefix} {describe_error(error, database_for(target))}") from None


def describe_error(error: Exception, database: Database) -> str:
    """Describe an error of a database in one line, without the statement, which may contain a text."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    name = type(cause).__name__
    # The message about a wrong statement may quote its values.
    lines = str(cause).splitlines() if database.error_kind(error) else []
    return f"{lines[0]} ({name})" if lines else name


def migrate_target(target: Engine, migrate: Callable[[Engine], None]) -> None:
    """Upgrade the schema of the target. Raises OperationError if it has tables of another program."""
    with translate_errors("the target is in use or cannot be read:", target), target.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if tables and not {table.name for table in TABLES} <= tables:
            raise OperationError(f"{postgresql.describe(connection)} has tables that are not saver's")
    try:
        with translate_errors("the target cannot be migrated:", target):
            migrate(target)
    except CommandError:
        raise OperationError("the target has a schema that this saver does not know") from None
