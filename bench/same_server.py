"""The server that saver runs under, for other apps: `python -m bench.same_server MODULE:APP`.

It prints its address and serves until SIGTERM, with saver's numbers of processes and threads.
"""

from __future__ import annotations

import argparse
import site
import socket
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING

from flask import Flask

from bench.processes import children, command_of
from saver.blocking import about_to_block
from saver.ops.request_counts import RequestCounts
from saver.serve import BACKLOG, GunicornServer
from saver.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_DEFAULTS = Settings(_env_file=None)
PROCESSES = _DEFAULTS.processes


def asgi_command(python: Path, app: str, port: int) -> list[str]:
    """The command that serves an ASGI app, by the packages of another Python.

    By gunicorn's worker for ASGI, from which saver's worker is derived.
    """
    options = ["--bind", f"127.0.0.1:{port}", "--backlog", str(BACKLOG), "--workers", str(PROCESSES)]
    options += ["--worker-class", "asgi", "--keep-alive", "30", "--worker-tmp-dir", "/dev/shm"]
    return [str(python), "-m", "gunicorn", *options, "--no-control-socket", app]


def workers(root: int) -> list[int]:
    """The processes that answer, of a server that was started by a process or is it."""
    first = children(root)
    below = [pid for child in first if b"saver.serve" in command_of(child) for pid in children(child)]
    return below or first


class _Server(GunicornServer):
    def __init__(self, name: str, listener: int, counts: Path, *, waits: bool) -> None:
        self._name = name
        self._waits = waits
        self._counts = counts
        super().__init__(_DEFAULTS, listener)

    def load(self) -> Flask:
        module, _, name = self._name.partition(":")
        found = getattr(import_module(module), name)
        app: Flask = found if isinstance(found, Flask) else found()
        if self._waits:
            app.wsgi_app = _saying_so(app.wsgi_app)  # type: ignore[assignment,method-assign]
        # What saver's worker reads of an app.
        app.extensions["saver"] = SimpleNamespace(
            settings=_DEFAULTS,
            rate_limits=SimpleNamespace(count_slow_requests=lambda _: None),
            requests=RequestCounts(self._counts, tuple),
        )
        return app


def _saying_so(app: WSGIApplication) -> WSGIApplication:
    """The same app, for which all threads take requests, since it does not say itself when it waits."""

    def saying_so(wsgi_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        about_to_block()
        return app(wsgi_environ, start_response)

    return saying_so


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.same_server")
    parser.add_argument("app", help="module:name of a Flask app, or of a function that makes one")
    parser.add_argument("--port", type=int, default=0, help="any")
    parser.add_argument("--packages", help="where packages are that this Python lacks")
    parser.add_argument("--waits", action="store_true", help="the app waits for a disk or another process")
    arguments = parser.parse_args()
    if arguments.packages:
        # Behind its own, so that the server has its versions.
        site.addsitedir(arguments.packages)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", arguments.port))
    listener.listen(BACKLOG)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    with TemporaryDirectory() as folder:
        counts = Path(folder) / "requests"
        _Server(arguments.app, listener.detach(), counts, waits=arguments.waits).run()


if __name__ == "__main__":
    main()
