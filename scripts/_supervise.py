"""Run the API and the worker until a signal comes. The standard library only."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from _setup import ROOT, say

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 1.0
_WORKER_PAUSE_SECONDS = 1.0
# More than gunicorn's graceful_timeout in saver/serve.py.
_GRACE_SECONDS = 15.0

_libc = ctypes.CDLL(None)


class Supervisor:
    """The parent of both. It imports nothing of saver, so it starts at once and has little to crash on."""

    def __init__(self, python: Path, listener: socket.socket, environ: Mapping[str, str]) -> None:
        self._python = python
        self._listener = listener
        self._environ = environ
        self._stopping = False
        self._wake_read, self._wake_write = _signal_pipe()
        self._prepared_read, self._prepared_write = os.pipe()
        self._worker: subprocess.Popen[bytes] | None = None
        self._worker_due = 0.0

    def run(self) -> int:
        """Start both; the exit status when all is stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        api = self._start_api()
        prepared = False
        while not self._stopping and api.poll() is None:
            prepared = prepared or self._is_prepared()
            if prepared:
                self._ensure_worker()
            self._wait(prepared)
        status = self._status(api, prepared)
        _end([api, self._worker] if self._worker else [api])
        return status

    def _request_stop(self, *_: object) -> None:
        self._stopping = True

    def _start_api(self) -> subprocess.Popen[bytes]:
        descriptors = {"listener": self._listener.fileno(), "prepared": self._prepared_write}
        options = [f"--{name}={descriptor}" for name, descriptor in descriptors.items()]
        api = self._start("saver.serve", options, tuple(descriptors.values()))
        # A copy kept here would hold the port, and the pipe, when the API is gone.
        self._listener.close()
        os.close(self._prepared_write)
        return api

    def _start(
        self, module: str, options: list[str], descriptors: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        # In a new session: the terminal's Ctrl-C is for this process, which then stops both in order.
        return subprocess.Popen(
            [self._python, "-m", module, *options],
            cwd=ROOT,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=descriptors,
            start_new_session=True,
            preexec_fn=_private_and_bound_to(os.getpid()),  # noqa: PLW1509 - there are no threads here
        )

    def _is_prepared(self) -> bool:
        readable, _, _ = select.select([self._prepared_read], [], [], 0)
        return bool(readable) and os.read(self._prepared_read, 1) != b""

    def _ensure_worker(self) -> None:
        if self._worker is None:
            if time.monotonic() >= self._worker_due:
                self._worker = self._start("saver.worker", [])
        elif self._worker.poll() is not None:
            say(f"the worker ended ({_exit_reason(self._worker)}); a new one starts in a second")
            self._worker = None
            self._worker_due = time.monotonic() + _WORKER_PAUSE_SECONDS

    def _wait(self, prepared: bool) -> None:
        watched = [self._wake_read] if prepared else [self._wake_read, self._prepared_read]
        readable, _, _ = select.select(watched, [], [], _POLL_SECONDS)
        if self._wake_read in readable:
            os.read(self._wake_read, 4096)

    def _status(self, api: subprocess.Popen[bytes], prepared: bool) -> int:
        if self._stopping:
            say("stopping")
            return 0
        # What ends with 1 before it serves has said why.
        if prepared or api.returncode != 1:
            say(f"the API stopped by itself ({_exit_reason(api)}), so everything is stopped")
        return 1


def _signal_pipe() -> tuple[int, int]:
    read, write = os.pipe()
    for descriptor in (read, write):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    return read, write


def _private_and_bound_to(parent: int) -> Callable[[], None]:
    def prepare_child() -> None:
        # The database is for its owner's eyes, whatever the data directory's mode is.
        os.umask(0o077)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare_child


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"process {process.pid} did not stop in {_GRACE_SECONDS:.0f} s and is killed")
        _kill_session(process)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    # What a killed leader has left behind goes too.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _exit_reason(process: subprocess.Popen[bytes]) -> str:
    status = process.returncode
    return f"signal {-status}" if status < 0 else f"exit status {status}"
