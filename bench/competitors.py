"""Competitors with their real storage: SnapPass and Redis, bepasty and its files, pinnwand and its SQLite.

Each gets its cheapest request: JSON or plain text instead of a page if it offers that.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode

from bench.common import TEXT
from bench.servers import children
from bench.targets import Request, Target
from saver.settings import Settings
from tests.support.process import free_port, wait_until

_DEFAULTS = Settings(_env_file=None)
_FORM = "application/x-www-form-urlencoded"
_TIMEOUT = 60.0
# More requests than any run makes: the rate limiter runs and refuses none.
_UNLIMITED = 1_000_000_000


class Competitor(Target):
    """Another project's service, run by the Python of the competitors' environment."""

    def __init__(self, name: str, python: Path) -> None:
        super().__init__(name)
        self._python = python

    def _gunicorn(self, stack: ExitStack, folder: Path, app: str, **environ: str) -> None:
        """The server that saver runs under, with saver's numbers of processes and threads."""
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [
            *self._module("gunicorn"),
            "--bind",
            f"fd://{descriptor}",
            "--worker-class",
            "gthread",
        ]
        command += ["--workers", str(_DEFAULTS.processes), "--threads", str(_DEFAULTS.threads)]
        command += ["--keep-alive", "30", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", app]
        process = _start(stack, command, folder, environ, keep=[descriptor])
        self.url, self.roots = f"http://127.0.0.1:{port}", [*self.roots, process]
        self._wait_until_up(process, port, _DEFAULTS.processes)

    def _wait_until_up(self, process: int, port: int, processes: int) -> None:
        """Wait until all processes are there and one answers."""

        def all_workers_run() -> bool:
            self.workers = children(process) if processes > 1 else [process]
            return len(self.workers) == processes and _answers(port)

        wait_until(all_workers_run, f"{self.name} does not answer", _TIMEOUT)

    def _module(self, name: str) -> list[str]:
        return [str(self._python), "-m", name]


class SnapPass(Competitor):
    """SnapPass with a separate Redis, with the defaults of Redis or waiting for the disk."""

    name_pattern = re.compile(r'"link": ?"https?://[^/]+/([^"]+)"')
    once = True

    def __init__(self, name: str, python: Path, *, durable: bool = False) -> None:
        super().__init__(name, python)
        self._durable = durable

    def create(self) -> Request:
        form = urlencode({"password": TEXT, "ttl": "day"})
        return Request("POST", "/", '"link"', form, _FORM)

    def read(self, name: str) -> Request:
        return Request("POST", f"/{name}", TEXT)

    def start(self, stack: ExitStack, folder: Path) -> None:
        port = free_port()
        # Without a file Redis's own defaults hold, which are Debian's too: snapshots, no log of writes.
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        if self._durable:
            command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.roots = [_start(stack, command, folder, {})]
        wait_until(lambda: _answers(port), "redis-server does not answer", _TIMEOUT)
        self._gunicorn(stack, folder, "snappass.main:app", REDIS_PORT=str(port))


class Bepasty(Competitor):
    """bepasty with its filesystem storage."""

    name_pattern = re.compile(r'href="/(\w+)#')

    def create(self) -> Request:
        form = urlencode({"text": TEXT, "filename": "a.txt", "contenttype": "text/plain"})
        return Request("POST", "/+upload", "Redirecting", form, _FORM)

    def read(self, name: str) -> Request:
        return Request("GET", f"/{name}/+download", TEXT)

    def start(self, stack: ExitStack, folder: Path) -> None:
        store, config = folder / "store", folder / "bepasty.conf"
        store.mkdir()
        config.write_text(
            f"STORAGE_FILESYSTEM_DIRECTORY = {str(store)!r}\nDEFAULT_PERMISSIONS = 'create,read'\n"
        )
        self.roots = []
        self._gunicorn(stack, folder, "bepasty.wsgi:application", BEPASTY_CONFIG=str(config))


class Pinnwand(Competitor):
    """pinnwand with SQLite in a file: by its command line, which is one process, or by several processes."""

    name_pattern = re.compile(r"/raw/(\w+)")

    def __init__(self, name: str, python: Path, processes: int = 1) -> None:
        super().__init__(name, python)
        self._processes = processes

    def create(self) -> Request:
        form = urlencode({"raw": TEXT, "lexer": "text", "expiry": "1day"})
        return Request("POST", "/curl", "Raw URL", form, _FORM)

    def read(self, name: str) -> Request:
        return Request("GET", f"/raw/{name}", TEXT)

    def start(self, stack: ExitStack, folder: Path) -> None:
        config, port = folder / "pinnwand.toml", free_port()
        limits = "".join(
            f"[ratelimit.{area}]\ncapacity = {_UNLIMITED}\nconsume = 1\nrefill = {_UNLIMITED}\n"
            for area in ("read", "create", "delete")
        )
        config.write_text(f'database_uri = "sqlite:///{folder}/pinnwand.db"\n{limits}')
        command = [*self._module("pinnwand"), "--configuration-path", str(config)]
        subprocess.run([*command, "reap"], check=True, capture_output=True)
        command += ["http", "--port", str(port)]
        if self._processes > 1:
            starter = Path(__file__).with_name("many_pinnwands.py")
            command = [str(self._python), str(starter), str(config), str(port), str(self._processes)]
        self.url, self.roots = f"http://127.0.0.1:{port}", [_start(stack, command, folder, {})]
        self._wait_until_up(self.roots[0], port, self._processes)


def _start(
    stack: ExitStack,
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    keep: Sequence[int] = (),
) -> int:
    """Start a process that ends with the stack; its id. What it says goes into a file in ``folder``."""
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdout=log,
            stderr=log,
            pass_fds=keep,
            start_new_session=True,
        )
    stack.callback(process.wait, _TIMEOUT)
    # With all that it has started: its session has its own group.
    stack.callback(os.killpg, process.pid, signal.SIGTERM)
    return process.pid


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
