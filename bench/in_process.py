"""The requests of bench/run cpu: the app is called as a server calls it, in one thread, without a server.

The requests come from 2,000 addresses in turn, so all limits are as shipped and refuse nothing.
"""

from __future__ import annotations

import gc
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.baseline import baseline_app
from bench.common import TEXT, app_of
from saver import seal
from saver.seal import Keys, Seal
from saver.store import TextStore
from saver.texts import NewText

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_LIFE = 86_400
_SOURCES = 2_000
_TEXTS = 200
_LOAD, _WRITE = "/api/v1/load", "/api/v1/write"
# Leased by chance in one of 1,000 runs; the check of the answers says so.
_FREE = "qqqq"
_SERVER = {
    "REQUEST_METHOD": "POST",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "bench",
    "REMOTE_PORT": "50000",
    "CONTENT_TYPE": "application/json",
    "HTTP_HOST": "127.0.0.1:8000",
    "HTTP_USER_AGENT": "bench",
    "HTTP_ACCEPT": "application/json",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


class SetCost(NamedTuple):
    """What one request of a set cost on average, in microseconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of request. ``body`` makes the JSON of the next one; each answer must hold ``holds``."""

    name: str
    app: WSGIApplication
    path: str
    body: Callable[[], object]
    status: str
    holds: bytes
    addresses: Iterator[str]
    bare: str = ""
    goal: str = ""

    def environs(self, count: int) -> list[dict[str, Any]]:
        """The WSGI environments of so many requests."""
        return [self._environ() for _ in range(count)]

    def answers(self, environs: list[dict[str, Any]]) -> list[tuple[str, bytes]]:
        """Status and body of each answer."""
        return [self._answer(environ) for environ in environs]

    def check(self, answers: list[tuple[str, bytes]]) -> None:
        """End the program if an answer is wrong."""
        for status, body in answers:
            if not status.startswith(self.status) or self.holds not in body:
                raise SystemExit(f"bench: {self.name} was answered {status} {body[:200]!r}")

    def measure(self, count: int) -> SetCost:
        """One set."""
        environs = self.environs(count)
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        answers = self.answers(environs)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.check(answers)
        return SetCost(wall / count * 1e6, cpu / count * 1e6)

    def _environ(self) -> dict[str, Any]:
        body = json.dumps(self.body()).encode()
        return {
            **_SERVER,
            "PATH_INFO": self.path,
            "REMOTE_ADDR": next(self.addresses),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
        }

    def _answer(self, environ: dict[str, Any]) -> tuple[str, bytes]:
        started: list[str] = []

        def start_response(
            status: str, headers: object, error: object = None, /
        ) -> Callable[[bytes], object]:
            started.append(status)
            return started.append  # type: ignore[return-value]

        parts = self.app(environ, start_response)
        try:
            return started[-1], b"".join(parts)
        finally:
            if close := getattr(parts, "close", None):
                close()


def targets(folder: Path) -> list[Target]:
    """All kinds of requests, on a data folder with a full pool; the bare routes are first."""
    app, bare = app_of(folder), baseline_app()
    store: TextStore = app.extensions["saver"].store
    addresses = itertools.cycle([f"10.0.{number >> 8}.{number & 255}" for number in range(_SOURCES)])
    write = {"text": TEXT, "expires_in": _LIFE}
    old_write = {"wrtext": TEXT, "wrpassword": "", "wrdelete_at": "3h"}
    text, code = TEXT.encode(), b'"code":'
    open_codes = itertools.cycle([_save(store) for _ in range(_TEXTS)])
    sealed, keys = _sealed_text()
    sealed_codes = itertools.cycle([_save(store, sealed, keys.proof) for _ in range(_TEXTS)])
    proof = seal.encode(keys.proof)

    def target(name: str, path: str, body: Callable[[], object], holds: bytes, **more: Any) -> Target:
        return Target(
            name,
            path=path,
            body=body,
            holds=holds,
            addresses=addresses,
            **{"app": app, "status": "200", **more},
        )

    return [
        target("bare load", _LOAD, lambda: {"code": next(open_codes)}, text, app=bare),
        target("bare write", _WRITE, lambda: write, code, app=bare, status="201"),
        target("load", _LOAD, lambda: {"code": next(open_codes)}, text, bare="bare load", goal="<= 2.0"),
        target("first load", _LOAD, lambda: {"code": _save(store)}, text, bare="bare load"),
        target("write", _WRITE, lambda: write, code, status="201", bare="bare write", goal="<= 5"),
        target(
            "sealed load",
            _LOAD,
            lambda: {"code": next(sealed_codes), "proof": proof},
            sealed.encode(),
            bare="bare load",
        ),
        target("miss", _LOAD, lambda: {"code": _FREE}, b"no-text", status="404", bare="bare load"),
        target(
            "old load",
            "/load/",
            lambda: {"ldcode": next(open_codes), "ldpassword": ""},
            text,
            bare="bare load",
        ),
        target("old write", "/write/", lambda: old_write, b"success", bare="bare write"),
    ]


def _save(store: TextStore, body: str = TEXT, proof: bytes | None = None) -> str:
    return str(store.save(NewText(body, _LIFE, proof=proof)).code)


def _sealed_text() -> tuple[str, Keys]:
    # No password is derived: the server sees only what comes of it.
    keys = Keys(bytes(32), bytes(32))
    return seal.encrypt(TEXT, Seal(bytes(16)), keys, bytes(12)), keys
