"""PostgreSQL: a server with many writers at once.

A connection commits every statement by itself unless a transaction was begun, so a
read is one round trip. Transactions that write are READ COMMITTED: what they decide on,
they lock first. Whoever waits for the server waits for a bounded time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, event
from sqlalchemy.exc import DBAPIError

_BEGIN = {
    "write": "BEGIN",
    "read": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "no transaction": "",
}
# In seconds: how long a thread waits for a connection of the pool, and for a server to answer.
_POOL_PATIENCE = 5
_CONNECT_PATIENCE = 5
# In ms. A statement of a request takes less than one; what takes this long will not end well.
_TIMEOUTS = {
    "statement_timeout": 10_000,
    "lock_timeout": 5_000,
    "idle_in_transaction_session_timeout": 10_000,
}
# Without its warnings nobody would learn that a commit is at risk.
_SESSION = {**_TIMEOUTS, "client_min_messages": "warning"}
# A server that is gone without a word is noticed after these seconds, not after minutes.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_AT_RISK = "saver_at_risk"
_PATIENT = "saver_patient"
# An execution option: a migration may rewrite a table, but must not wait for long with it locked.
NO_STATEMENT_TIMEOUT = {"saver_no_statement_timeout": True}
# Deadlock, lost serialization, and a key that another transaction has just used.
_CONFLICTS = {"40P01", "40001", "23505"}
# No such table, no such column, no right to use it.
_NOT_SET_UP = {"42P01", "42703", "42501"}


def engine_options(url: URL) -> dict[str, Any]:
    """How to make an engine. What the URL says itself is left as it is."""
    session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    given = url.query.get("options", "")
    chosen = {
        **_KEEPALIVE,
        "connect_timeout": _CONNECT_PATIENCE,
        "application_name": "saver",
        "client_encoding": "utf8",
        # A standby is a moment behind: a text that was just written would not be there.
        "target_session_attrs": "read-write",
    }
    return {
        "pool_timeout": _POOL_PATIENCE,
        "max_overflow": 0,
        "connect_args": {
            **{name: value for name, value in chosen.items() if name not in url.query},
            "options": f"{session} {given if isinstance(given, str) else ' '.join(given)}".strip(),
        },
    }


def has_known_options(url: URL) -> bool:
    """Whether libpq knows the options of a URL and can read their values."""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 - not for those who have SQLite

    options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    # SQLAlchemy's own way to name several servers.
    options["host"] = "host"
    try:
        conninfo.timeout_from_conninfo(conninfo.conninfo_to_dict(conninfo.make_conninfo("", **options)))
    except ProgrammingError:
        return False
    return True


def prepare(engine: Engine) -> None:
    """Set up every connection that the engine will open."""
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, record: Any) -> None:
    connection.autocommit = True

    def note(notice: Any) -> None:
        # The server's own name of the place, since its sentences come in many languages.
        if notice.source_function == "SyncRepWaitForLSN":
            record.info[_AT_RISK] = True

    connection.add_notice_handler(note)


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.info.pop(_PATIENT, None)
    if begin := _BEGIN[options.get("saver_begin", "read")]:
        connection.exec_driver_sql(begin)
    if "saver_no_statement_timeout" in options:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def lock(connection: Connection, of: str, *names: str | bytes) -> None:
    """Hold the locks of these names until the transaction ends; two names may share one by chance.

    Always in the same order, so that two who want the same ones do not wait for each other.
    """
    numbers = sorted(_number(of, name) for name in names or ("",))
    taken = ", ".join(f"pg_advisory_xact_lock({number})" for number in numbers)
    connection.exec_driver_sql(f"SELECT {taken}")


def _number(of: str, name: str | bytes) -> int:
    whole = of.encode() + b"\0" + (name.encode() if isinstance(name, str) else name)
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), signed=True)


@contextmanager
def advisory_lock(engine: Engine, name: str) -> Iterator[None]:
    """Hold the lock of this name."""
    with engine.connect() as connection, connection.begin():
        disable_timeouts(connection)
        lock(connection, name)
        yield


def disable_timeouts(connection: Connection) -> None:
    """No time limits in this transaction."""
    for name in _TIMEOUTS:
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    connection.info[_PATIENT] = True


def has_disabled_timeouts(connection: Connection) -> bool:
    """Whether the transaction has no time limits."""
    return bool(connection.info.get(_PATIENT))


def copy_in(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Add rows by COPY."""
    columns = ", ".join(column.name for column in table.columns)
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def take(connection: Connection, tables: Iterable[Table]) -> None:
    """Keep everybody else away from whole tables until the transaction ends, also readers.

    OperationalError: others have not let go of them in time.
    """
    names = ", ".join(table.name for table in tables)
    connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def learn(connection: Connection, tables: Iterable[Table]) -> None:
    """Let the planner know what is in tables that were just filled."""
    connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def place_of(connection: Connection) -> str:
    """Which database this is, without the secrets of its URL."""
    found: Any = connection.connection.driver_connection
    return f"{found.info.host}:{found.info.port}/{found.info.dbname}"


def is_conflict(error: BaseException) -> bool:
    """Whether a transaction failed because another one came between."""
    return getattr(error, "sqlstate", None) in _CONFLICTS


def is_not_set_up(error: BaseException) -> bool:
    """Whether tables or rights are missing that a migration or the operator gives."""
    return getattr(error, "sqlstate", None) in _NOT_SET_UP


def is_stale(error: BaseException) -> bool:
    """Whether a prepared statement does not fit the tables any more."""
    return getattr(error, "sqlstate", None) == "0A000"


def is_lost_before(error: Exception) -> bool:
    """Whether a kept connection turned out to be lost, when a transaction was to begin."""
    if not isinstance(error, DBAPIError) or not error.connection_invalidated:
        return False
    return error.statement in _BEGIN.values()


def is_not_replicated(connection: Connection) -> bool:
    """Whether the last commit stopped waiting for its standby.

    The server then says that it has committed, and only warns: after a failover it would be gone.
    """
    return bool(connection.info.pop(_AT_RISK, False))


def count_other_clients(connection: Connection) -> int:
    """How many other clients there are at this database."""
    return int(
        connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).scalar_one()
    )


def integrity_errors(connection: Connection) -> list[str]:
    """Settings of the server with which a text can be lost, cannot be kept, or ends up in a log."""
    found = []
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        value = _shown(connection, name)
        if value in ("off", "local"):
            found.append(f"{name} = {value}: a text that was acknowledged can be lost")
    if unfit := incompatible_encoding(connection):
        found.append(unfit)
    if _shown(connection, "log_parameter_max_length") != "0" and _logs_statements(connection):
        found.append("statements are logged with their values: set log_parameter_max_length = 0")
    return found


def incompatible_encoding(connection: Connection) -> str:
    """Why the database cannot keep every text; empty if it can."""
    encoding = _shown(connection, "server_encoding")
    return "" if encoding == "UTF8" else f"the database's encoding is {encoding}: make it with -E UTF8"


def _logs_statements(connection: Connection) -> bool:
    slow = ("log_min_duration_statement", "log_min_duration_sample")
    if any(_shown(connection, name) != "-1" for name in slow):
        return True
    return _shown(connection, "log_statement") in ("mod", "all")


def _shown(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())
