"""Run the API and the worker until a signal comes, as processes that are forked from this one.

They share the memory of what is imported here. This process opens no database, no connection and no file
of the data directory, and starts no thread, so that nothing of that crosses a fork.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_STOP = {signal.SIGTERM, signal.SIGINT}
_POLL_SECONDS = 1.0
_WORKER_PAUSE_SECONDS = 1.0
# More than gunicorn's graceful_timeout in saver/serve.py.
_GRACE_SECONDS = 15.0

_libc = ctypes.CDLL(None)
_log = logging.getLogger(__name__)


class Child:
    """A process that runs a function, in a session of its own; it is ended when its parent ends.

    ``name`` is what ``ps -o comm`` shows of it.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._status: int | None = None
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _prepare_child(name, parent)
            run()
            sys.exit(0)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    @property
    def exit_reason(self) -> str:
        """Why it ended."""
        status = self.poll() or 0
        return f"signal {-status}" if status < 0 else f"exit status {status}"


def log_to(handler: logging.Handler) -> None:
    """Write what happens to the children to this handler only: the app sets up the log of each child."""
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False


def block_signals() -> None:
    """Keep signals pending until they are waited for. Called before the first child is started."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOP, signal.SIGCHLD})


def run_to_end(child: Child) -> None:
    """Wait for a child. Raises SystemExit if it fails, and if a signal asks to stop."""
    while child.poll() is None:
        if _stop_requested():
            raise SystemExit(_stop([child]))
    if status := child.poll():
        # With 1 it has said why itself.
        if status != 1:
            _log.error("the set-up did not end well (%s)", child.exit_reason)
        raise SystemExit(1)


def supervise(api: Child, work: Callable[[], None]) -> int:
    """Run the worker, again if it ends, until the API ends or a signal asks to stop; the exit status."""

    def work_again() -> None:
        time.sleep(_WORKER_PAUSE_SECONDS)
        work()

    worker = Child("saver-worker", work)
    while api.poll() is None:
        if _stop_requested():
            return _stop([api, worker])
        if worker.poll() is not None:
            _log.error("the worker ended (%s); a new one starts in a second", worker.exit_reason)
            worker = Child("saver-worker", work_again)
    _log.error("the API stopped by itself (%s), so everything is stopped", api.exit_reason)
    _end([api, worker])
    return 1


def _prepare_child(name: str, parent: int) -> None:
    # In a new session: the terminal's Ctrl-C is for the parent, which then stops all in order.
    os.setsid()
    # The database is for its owner's eyes, whatever the data directory's mode is.
    os.umask(0o077)
    _libc.prctl(_PR_SET_NAME, name.encode())
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Only the address is for stdout.
    os.dup2(2, 1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _stop_requested() -> bool:
    received = signal.sigtimedwait({*_STOP, signal.SIGCHLD}, _POLL_SECONDS)
    return received is not None and received.si_signo in _STOP


def _stop(children: list[Child]) -> int:
    _log.info("stopping")
    _end(children)
    return 0


def _end(children: list[Child]) -> None:
    for child in children:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(child.poll() is None for child in children) and (left := deadline - time.monotonic()) > 0:
        signal.sigtimedwait({signal.SIGCHLD}, left)
    for child in children:
        if child.poll() is None:
            _log.error("process %d did not stop in %.0f s and is killed", child.pid, _GRACE_SECONDS)
        _kill_session(child)


def _kill_session(child: Child) -> None:
    # What a killed leader has left behind goes too.
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    if child.poll() is None:
        os.waitpid(child.pid, 0)
