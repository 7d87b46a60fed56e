"""The server that saver runs under, for other apps, with saver's numbers of processes and threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from wsgiref.types import WSGIApplication

from bench.processes import children, command_of
from saver.serve import GunicornServer
from saver.settings import Settings

_DEFAULTS = Settings(_env_file=None)
PROCESSES = _DEFAULTS.processes


def serve(make_app: Callable[[], WSGIApplication], listener: int) -> None:
    """Serve an app exactly as saver is served, until SIGTERM; ``listener`` is a listening socket."""

    class _Server(GunicornServer):
        def load(self) -> WSGIApplication:
            return make_app()

    _Server(_DEFAULTS, listener).run()


def command(python: Path, app: str, port: int, *, asgi: bool = False) -> list[str]:
    """The command that serves ``module:app`` by the packages of another Python.

    gunicorn with its own threads in place of saver's event loop, whose code that Python does not have.
    """
    options = ["--bind", f"127.0.0.1:{port}", "--backlog", "2048", "--workers", str(PROCESSES)]
    options += ["--worker-class", "asgi"] if asgi else ["--worker-class", "gthread"]
    options += ["--threads", str(_DEFAULTS.threads), "--keep-alive", "30"]
    options += ["--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
    return [str(python), "-m", "gunicorn", *options, app]


def workers(root: int) -> list[int]:
    """The processes that answer, of a server that was started by a process or is it."""
    first = children(root)
    below = [pid for child in first if b"saver.serve" in command_of(child) for pid in children(child)]
    return below or first
