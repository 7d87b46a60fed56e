"""Messages to systemd: that a service is up, and that it is still alive."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
import time_machine

from saver.app import Services
from saver.ops.systemd import SystemdNotifier
from saver.worker import PeriodicJob, Sweeper
from tests.conftest import NO_LIMITS, NOW
from tests.ops.test_worker import InstantEvent, RecordingEvent, put_rested
from tests.support.server import environment


class NotifySocket:
    """The service manager's end of the socket."""

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)

    def next(self, timeout: float) -> str | None:
        """The next message, or None if none comes in so many seconds."""
        self._socket.settimeout(timeout)
        with suppress(TimeoutError, BlockingIOError):
            return self._socket.recv(4_096).decode()
        return None

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def notify_socket() -> Iterator[NotifySocket]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = NotifySocket(folder)
        yield made
        made.close()


def test_what_is_said_is_what_systemd_reads(notify_socket: NotifySocket) -> None:
    manager = SystemdNotifier(notify_socket.path)
    manager.ready(60)
    manager.keep_alive()
    manager.stopping()
    assert [notify_socket.next(30) for _ in range(3)] == [
        "READY=1\nWATCHDOG_USEC=60000000",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify", "@nobody"])
def test_without_a_listener_nothing_fails(address: str | None) -> None:
    SystemdNotifier(address).keep_alive()


def test_an_abstract_socket_is_found() -> None:
    name = f"saver-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(30)
        SystemdNotifier(f"@{name}").keep_alive()
        assert listening.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("jump", [0, -3_600, 3_600])
def test_a_loop_that_goes_on_says_so_after_every_job(jump: int, fails: bool) -> None:
    jobs, alive = [], []

    def job() -> None:
        jobs.append(1)
        if fails:
            raise OSError

    with time_machine.travel(NOW, tick=False) as clock:
        PeriodicJob(job, 5, InstantEvent(clock, 120, 42, jump), lambda: alive.append(len(jobs))).run()
    assert alive == list(range(1, len(jobs) + 1))
    assert len(jobs) > 20


def test_a_loop_whose_job_never_comes_says_nothing() -> None:
    alive = []
    with time_machine.travel(NOW, tick=False) as clock:
        loop = PeriodicJob(lambda: None, 5, InstantEvent(clock, 120), lambda: alive.append(1))
        loop.run_pending()
        loop._scheduler.clear()
        loop._schedule = lambda: None  # type: ignore[method-assign]
        for _ in range(100):
            clock.shift(1)
            loop.run_pending()
    assert alive == []


def test_a_long_sweep_says_so_after_every_batch(services: Services) -> None:
    put_rested(services.settings.data_dir / "saver.db", 1_000)
    alive = []
    Sweeper(services.store, services.readiness, RecordingEvent(), lambda: alive.append(1)).run()
    assert len(alive) > 2


def test_a_worker_that_hangs_is_silent(services: Services, notify_socket: NotifySocket) -> None:
    folder = services.settings.data_dir
    environ = {**environment(folder, {**NO_LIMITS, "sweep_interval": 1}), "NOTIFY_SOCKET": notify_socket.path}
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-m", "saver.worker"], cwd=folder, env=environ, stderr=log)
    try:
        assert notify_socket.next(30) == "READY=1\nWATCHDOG_USEC=60000000"
        assert [notify_socket.next(30) for _ in range(3)] == ["WATCHDOG=1"] * 3
        worker.send_signal(signal.SIGSTOP)
        while notify_socket.next(0.01):
            pass
        assert notify_socket.next(3) is None
        worker.send_signal(signal.SIGCONT)
        assert notify_socket.next(30) == "WATCHDOG=1"
        worker.send_signal(signal.SIGTERM)
        said = [notify_socket.next(30)]
        while said[-1] == "WATCHDOG=1":
            said.append(notify_socket.next(30))
        assert said[-1] == "STOPPING=1"
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait()
