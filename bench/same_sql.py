"""The statements of a write and of a load by psycopg alone: the cost of the database and its driver."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

import psycopg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from saver.codes import SPACE, Code
from saver.database.tables import text
from saver.store.lease_statements import TAKE_AND_INSERT
from saver.store.reading import FIND_LIVE

_LIFE, _REST = 86_400, 86_400
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_WRITE, _LOAD = (str(statement.compile(dialect=_DIALECT)) for statement in (TAKE_AND_INSERT, FIND_LIVE))
_NOTHING = dict.fromkeys(column.name for column in text.c if column.name != "code")
_TOKEN_BYTES = 16


class SameSql:
    """Saves and loads with the very statements of the app, on a connection for each thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._local = threading.local()

    def save(self, body: str) -> tuple[str, int, str]:
        """Lease a code in a transaction: BEGIN, one statement, COMMIT. The code, its end and a token."""
        token, expires_at = secrets.token_urlsafe(_TOKEN_BYTES), int(time.time()) + _LIFE
        row = {
            **_NOTHING,
            "body": body.encode(),
            "owner_hash": hashlib.sha256(token.encode()).digest(),
            "once": False,
            "saved_at": expires_at - _LIFE,
            "expires_at": expires_at,
            "free_at": expires_at + _REST,
            "size": len(body.encode()),
        }
        connection = self._connection()
        with connection.transaction():
            while True:
                code = Code.nth(secrets.randbelow(SPACE))
                if connection.execute(_WRITE, {"code": code, **row}).rowcount == 1:
                    break
        return code, expires_at, token

    def load(self, code: str) -> tuple[str, int]:
        """The text under a code and its end: one SELECT. Raises LookupError."""
        found = self._connection().execute(_LOAD, {"code": code, "now": int(time.time())}).fetchone()
        if found is None:
            raise LookupError
        return found[8].decode(), found[5]

    def _connection(self) -> psycopg.Connection:
        connection: psycopg.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = psycopg.connect(self._address, autocommit=True)
        return connection
