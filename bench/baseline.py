"""The baseline: two routes that cost what the server and Flask cost.

With BENCH_DATABASE, the address of a database on PostgreSQL, its routes run the statements of a write and of
a load by psycopg and do nothing else.
"""

from __future__ import annotations

import os
import time
from typing import Any, Protocol

from flask import Flask, request

from bench.common import TEXT


class _Store(Protocol):
    def save(self, body: str) -> tuple[str, int, str]: ...

    def load(self, code: str) -> tuple[str, int]: ...


class _NoStore:
    """Returns values of the right size."""

    def save(self, body: str) -> tuple[str, int, str]:
        assert body
        return "wUrp", 1_893_456_000, "a" * 22

    def load(self, code: str) -> tuple[str, int]:
        assert code
        return TEXT, 1_893_456_000


def baseline_app() -> Flask:
    """Two routes that parse JSON and answer JSON of the app's sizes, and ask the database at most."""
    app = Flask("baseline", static_folder=None)
    store = _store()

    @app.post("/api/v1/write")
    def write() -> tuple[dict[str, Any], int]:
        code, expires_at, token = store.save(request.get_json()["text"])
        return {"code": code, "expires_at": _utc(expires_at), "owner_token": token}, 201

    @app.post("/api/v1/load")
    def load() -> dict[str, Any]:
        text, expires_at = store.load(request.get_json()["code"])
        return {"text": text, "expires_at": _utc(expires_at)}

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _store() -> _Store:
    address = os.environ.get("BENCH_DATABASE")
    if not address:
        return _NoStore()
    from bench.same_sql import SameSql  # noqa: PLC0415 - it imports psycopg

    return SameSql(address)


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
