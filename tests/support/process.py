"""Child processes of a test: each is started, waited for until it is ready, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import SystemRandom

from tests.support import leftovers

TIMEOUT = 60.0
# Below those that the system gives to connections, which would take one before a server does.
_PORTS = range(10_000, 32_768)
_random = SystemRandom()


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = _random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], object], what: str, timeout: float = TIMEOUT) -> None:
    """Poll until the condition holds; else AssertionError with ``what``; ``timeout`` is in seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited {timeout:.0f} s in vain: {what}")


def children_of(pid: int) -> set[int]:
    """The children of a process, without those that have ended."""
    return {process for process, parent, _ in _running() if parent == pid}


def _running() -> Iterator[tuple[int, int, int]]:
    """(id, parent, process group) of every process that has not ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if state != "Z":
                yield int(folder.name), int(parent), int(group)


class Process:
    """A child in a process group of its own, which ends with this run even if the run is killed.

    ``ready`` says whether it can be used; an OSError counts as not yet. It writes into ``log``; ``logs``
    tells what is shown of it where it does not start.
    """

    def __init__(
        self,
        command: Sequence[object],
        log: Path,
        ready: Callable[[], object],
        *,
        logs: Callable[[], str] | None = None,
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._command = [str(part) for part in command]
        self._ready = ready
        self._logs = logs or (lambda: log.read_text(errors="replace"))
        self._folder = folder
        self._environ = {**(os.environ if environ is None else environ), **leftovers.mark()}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def start(self, *pass_fds: int, command: Sequence[object] = ()) -> None:
        """Start and wait until it is ready; AssertionError with the end of its log if it is not in time.

        ``command`` is added to the command, ``pass_fds`` are descriptors that the child inherits.
        """
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*self._command, *map(str, command)],
                cwd=self._folder,
                env=self._environ,
                pass_fds=pass_fds,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._is_ready, f"{self._command[0]} is not ready")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self._logs()[-6000:]}") from None

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to it, if it runs."""
        if self.is_running:
            os.kill(self.pid, signum)

    def stop(self) -> None:
        """Stop it with SIGTERM and wait; subprocess.TimeoutExpired if it does not end in time."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait(TIMEOUT)

    def stop_or_kill(self, seconds: float) -> None:
        """Stop it with SIGTERM, and after some seconds kill what is left of its group."""
        if self._child is not None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
            self.kill()

    def kill(self) -> None:
        """Kill the whole group with SIGKILL and wait."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(TIMEOUT)
            # A child of the group can hold the port for a moment longer than its parent.
            group = self._child.pid
            wait_until(lambda: all(each != group for *_, each in _running()), "the process group has ended")

    def children(self) -> set[int]:
        """The processes that it has started and that run."""
        return children_of(self.pid)

    def _is_ready(self) -> object:
        assert self.is_running, f"{self._command[0]} has ended"
        with contextlib.suppress(OSError):
            return self._ready()
        return False
