"""The database that a service moves to: reached, fit and empty, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.exc import ArgumentError, DBAPIError

from saver import database
from saver.database import postgresql
from saver.ops.files import OperationError
from saver.store.copy import TABLES, is_empty

_NO_SERVER = "--to must be the URL of a database that a server keeps, as in SAVER_DATABASE_URL"


@contextmanager
def target_at(address: str) -> Iterator[Engine]:
    """An engine for the database at a URL, which is reachable and takes writes. Raises OperationError."""
    try:
        known = database.is_known(address)
        engine = create_engine(address, **database.engine_options(address, 1)) if known else None
    # Without its message, in which the URL may stand.
    except (ArgumentError, ImportError, ValueError):
        engine = None
    if engine is None or not database.is_server(engine):
        raise OperationError(_NO_SERVER)
    database.prepare(engine)
    try:
        with told("the target cannot be used:", engine), engine.connect():
            pass
        yield engine
    finally:
        engine.dispose()


@contextmanager
def told(what: str, target: Engine) -> Iterator[None]:
    """Turn an error of a database into a sentence that begins with ``what``."""
    driver = target.dialect.loaded_dbapi
    try:
        yield
    except (DBAPIError, driver.Error) as error:
        raise OperationError(f"{what} {reason(error)}") from None


def reason(error: Exception) -> str:
    """Why a database failed, in a line without what it was asked, in which a text may stand."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    name = type(cause).__name__
    # What is at fault with a statement may quote its values.
    lines = str(cause).splitlines() if database.error_kind(error) else []
    return f"{lines[0]} ({name})" if lines else name


def migrated(target: Engine, migrate: Callable[[Engine], None]) -> None:
    """Bring the target's schema up to date, unless there is something in it. Raises OperationError."""
    with told("the target is in use or cannot be read:", target), target.connect() as connection:
        tables = inspect(connection).get_table_names()
        if {table.name for table in TABLES} <= set(tables):
            must_be_empty(connection)
        elif tables:
            raise OperationError(f"{postgresql.place_of(connection)} has tables that are not saver's")
    try:
        with told("the target cannot be migrated:", target):
            migrate(target)
    except CommandError:
        raise OperationError("the target has a schema that this saver does not know") from None


def must_be_empty(connection: Connection) -> None:
    """Raise OperationError if the target holds a pool or texts already."""
    if not is_empty(connection):
        raise OperationError(
            f"{postgresql.place_of(connection)} holds codes or texts already: nothing of it was touched;"
            " name a database that is empty"
        )
