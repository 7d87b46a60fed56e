"""Connections to PostgreSQL.

A connection commits every statement by itself unless a transaction was begun, so a
read is one round trip. Transactions that write are READ COMMITTED: they lock what they
decide on first. Every wait for the server is limited.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from saver.blocking import about_to_block

# The statement that begins a transaction.
BEGIN = {
    "write": "BEGIN",
    "read": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "no transaction": "",
}
# In seconds: how long a thread waits for a connection of the pool, and for a server to answer.
_POOL_TIMEOUT = 5
_CONNECT_TIMEOUT = 5
# In ms. A statement of a request takes less than one.
_TIMEOUTS = {
    "statement_timeout": 10_000,
    "lock_timeout": 5_000,
    "idle_in_transaction_session_timeout": 10_000,
}
# A warning is how the server reports a commit that is not replicated.
_SESSION = {**_TIMEOUTS, "client_min_messages": "warning"}
# In seconds and ms: a server that vanished is noticed after some seconds and not after minutes.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Keys of a connection's ``info``.
_NOT_REPLICATED = "saver_not_replicated"
_TIMEOUTS_DISABLED = "saver_timeouts_disabled"


def engine_options(url: URL) -> dict[str, Any]:
    """Return the arguments to create an engine. Options in the URL take precedence."""
    session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    options = url.query.get("options", "")
    defaults = {
        **_KEEPALIVE,
        "connect_timeout": _CONNECT_TIMEOUT,
        "application_name": "saver",
        "client_encoding": "utf8",
        # A standby is behind by a moment: a text that was just written would be missing.
        "target_session_attrs": "read-write",
    }
    return {
        "pool_timeout": _POOL_TIMEOUT,
        "max_overflow": 0,
        "connect_args": {
            **{name: value for name, value in defaults.items() if name not in url.query},
            "options": f"{session} {options if isinstance(options, str) else ' '.join(options)}".strip(),
        },
    }


def has_known_options(url: URL) -> bool:
    """Return whether libpq knows the options of a URL and can parse their values."""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 - only for PostgreSQL

    options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    # SQLAlchemy's syntax for several servers.
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
    event.listen(engine, "do_connect", _before_waiting)
    event.listen(engine, "checkout", _before_waiting)


def _before_waiting(*_: object) -> None:
    about_to_block()


def _on_connect(connection: Any, record: Any) -> None:
    connection.autocommit = True

    def on_notice(notice: Any) -> None:
        # By the server's source, since its messages are translated.
        if notice.source_function == "SyncRepWaitForLSN":
            record.info[_NOT_REPLICATED] = True

    connection.add_notice_handler(on_notice)


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.info.pop(_TIMEOUTS_DISABLED, None)
    if begin := BEGIN[options.get("saver_begin", "read")]:
        connection.exec_driver_sql(begin)
    if "saver_no_statement_timeout" in options:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def disable_timeouts(connection: Connection) -> None:
    """Remove the time limits of this transaction."""
    for name in _TIMEOUTS:
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    connection.info[_TIMEOUTS_DISABLED] = True


def has_disabled_timeouts(connection: Connection) -> bool:
    """Return whether the transaction has no time limits."""
    return bool(connection.info.get(_TIMEOUTS_DISABLED))


def is_not_replicated(connection: Connection) -> bool:
    """Return whether the last commit stopped waiting for its standby.

    The server reports success and a warning: after a failover the commit would be gone.
    """
    return bool(connection.info.pop(_NOT_REPLICATED, False))
