"""Competitors with their real storage, as their documentation deploys them and under saver's server.

SnapPass has a Redis, bepasty files, pinnwand and FileCodeBox have SQLite. Each gets its cheapest request:
JSON or plain text instead of a page if it offers that.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from bench import same_server
from bench.common import ROOT, TEXT
from bench.targets import Request, Target
from tests.support.process import free_port, wait_until

_FORM = "application/x-www-form-urlencoded"
_TIMEOUT = 60.0
# More requests than any run makes: the rate limiter runs and refuses none.
_UNLIMITED = 1_000_000_000
# SnapPass's own command has no option for it.
_PORT_OF_SNAPPASS = 5000
BOTH = frozenset({"create", "read"})


class Competitor(Target):
    """Another project's service, run by the Python of the competitors' environment.

    ``goals`` are the operations in which saver is to be faster in every set.
    """

    def __init__(
        self,
        name: str,
        python: Path,
        *,
        documented: bool = False,
        durable: bool = False,
        goals: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(name)
        self.goals = goals
        self._python = python
        self.as_deployed = documented
        self._durable = durable
        self._environ: dict[str, str] = {}

    def _serve(self, stack: ExitStack, folder: Path, app: str, *, waits: bool) -> None:
        """Run a module's Flask app under the server that saver runs under, by saver's Python.

        ``waits``: it waits for a disk or another process.
        """
        port = free_port()
        command = [sys.executable, "-m", "bench.same_server", app, "--port", str(port)]
        command += ["--packages", str(self._packages()), *(["--waits"] if waits else [])]
        root = _start(stack, command, folder, {**self._environ, "PYTHONPATH": str(ROOT)})
        self._wait_until_up(root, port, same_server.PROCESSES)

    def _packages(self) -> str:
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return subprocess.run(
            [self._python, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()

    def _run(
        self, stack: ExitStack, folder: Path, command: Sequence[str], port: int, processes: int = 1
    ) -> None:
        """Run a module's own command, which answers by itself or by so many further processes."""
        root = _start(stack, [str(self._python), "-m", *command], folder, self._environ)
        self._wait_until_up(root, port, processes)

    def _wait_until_up(self, root: int, port: int, processes: int) -> None:
        """Wait until all processes are there and one answers."""

        def all_workers_run() -> bool:
            self.workers = same_server.workers(root) if processes > 1 else [root]
            return len(self.workers) == processes and _answers(port)

        self.url, self.roots = f"http://127.0.0.1:{port}", [*self.roots, root]
        wait_until(all_workers_run, f"{self.name} does not answer", _TIMEOUT)


class SnapPass(Competitor):
    """SnapPass with a separate Redis, with the defaults of Redis or waiting for the disk."""

    name_pattern = re.compile(r'"link": ?"https?://[^/]+/([^"]+)"')
    once = True

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
        self._environ = {"REDIS_PORT": str(port)}
        if self.as_deployed:
            if _answers(_PORT_OF_SNAPPASS):
                raise SystemExit(f"bench: SnapPass needs port {_PORT_OF_SNAPPASS}, which another program has")
            self._run(stack, folder, ["snappass.main"], _PORT_OF_SNAPPASS)
        else:
            self._serve(stack, folder, "snappass.main:app", waits=True)


class Bepasty(Competitor):
    """bepasty with its filesystem storage; an attribute of the folder can make writes wait for the disk."""

    name_pattern = re.compile(r'href="/(\w+)#')

    def create(self) -> Request:
        form = urlencode({"text": TEXT, "filename": "a.txt", "contenttype": "text/plain"})
        return Request("POST", "/+upload", "Redirecting", form, _FORM)

    def read(self, name: str) -> Request:
        return Request("GET", f"/{name}/+download", TEXT)

    def start(self, stack: ExitStack, folder: Path) -> None:
        store, config = folder / "store", folder / "bepasty.conf"
        store.mkdir()
        if self._durable and subprocess.run(["chattr", "+S", store], check=False).returncode:
            raise SystemExit("bench: bepasty can be made to wait for the disk on ext4 only: give --folder")
        config.write_text(
            f"STORAGE_FILESYSTEM_DIRECTORY = {str(store)!r}\nDEFAULT_PERMISSIONS = 'create,read'\n"
        )
        self.roots = []
        self._environ = {"BEPASTY_CONFIG": str(config)}
        if self.as_deployed:
            port = free_port()
            options = ["--workers", "3", "--log-level=info", "--bind", f"127.0.0.1:{port}", "-k", "gevent"]
            self._run(stack, folder, ["gunicorn", "bepasty.wsgi", *options], port, processes=3)
        else:
            self._serve(stack, folder, "bepasty.wsgi:application", waits=self._durable)


class Pinnwand(Competitor):
    """pinnwand with SQLite in a file: by its command line, which is one process, or by several processes."""

    name_pattern = re.compile(r"/raw/(\w+)")

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
        command = ["pinnwand", "--configuration-path", str(config)]
        subprocess.run([self._python, "-m", *command, "reap"], check=True, capture_output=True)
        self.roots = []
        if self.as_deployed:
            self._run(stack, folder, [*command, "http", "--port", str(port)], port)
            return
        # Tornado is its own server, so what it shares with saver's is only the number of processes.
        starter = Path(__file__).with_name("many_pinnwands.py")
        processes = same_server.PROCESSES
        arguments = [str(self._python), str(starter), str(config), str(port), str(processes)]
        root = _start(stack, arguments, folder, {})
        self._wait_until_up(root, port, processes)


class FileCodeBox(Competitor):
    """FileCodeBox with SQLite, from a checkout of its repository, which has no package on PyPI."""

    name_pattern = re.compile(r'"detail": ?\{"code": ?"(\w+)"')

    def __init__(self, name: str, python: Path, checkout: Path, **how: bool | frozenset[str]) -> None:
        super().__init__(name, python, **how)  # type: ignore[arg-type]
        self._checkout = checkout

    def create(self) -> Request:
        form = urlencode({"text": TEXT, "expire_value": 1, "expire_style": "day"})
        return Request("POST", "/share/text/", '"detail"', form, _FORM)

    def read(self, name: str) -> Request:
        return Request("GET", f"/share/select/?code={name}", TEXT)

    def start(self, stack: ExitStack, folder: Path) -> None:
        # Its data lie beside its code.
        code = folder / "code"
        shutil.copytree(self._checkout, code, ignore=shutil.ignore_patterns(".git", "data"))
        self.roots, self._environ = [], {"PYTHONPATH": str(code)}
        port = free_port()
        if self.as_deployed:
            options = f"--host 127.0.0.1 --port {port} --workers 1 --log-level info --proxy-headers".split()
            self._run(stack, code, ["uvicorn", "main:app", *options, "--forwarded-allow-ips", ""], port)
        else:
            root = _start(
                stack, same_server.asgi_command(self._python, "main:app", port), code, self._environ
            )
            self._wait_until_up(root, port, same_server.PROCESSES)
        self._set_up()

    def _set_up(self) -> None:
        form = {"admin_password": "benchmark", "confirm_password": "benchmark", "expireStyle": "day"}
        form["uploadCount"] = str(_UNLIMITED)
        request = HttpRequest(f"{self.url}/setup", urlencode(form).encode(), {"Accept": "application/json"})
        with urlopen(request, timeout=_TIMEOUT) as answer:
            assert b'"ok":true' in answer.read()


def _start(
    stack: ExitStack,
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    keep: Sequence[int] = (),
) -> int:
    """Start a process that ends with the stack; its id. What it says goes into a file in ``folder``."""
    with (folder / "output.log").open("ab") as log:
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
