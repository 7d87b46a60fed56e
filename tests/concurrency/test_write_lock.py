"""The write lock: waiters get it in order, wait a limited time, and do not block others when stopped."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from saver.app import Services
from saver.database import file_lock
from saver.database.file_lock import FairFileLock, LockTimeoutError
from tests.support.process import wait_until
from tests.support.threads import run_concurrently

HELD = ["gate", "next"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "saver.db"


@contextmanager
def stopped(place: Path, which: str) -> Iterator[None]:
    """Another process holds the lock and is stopped."""
    descriptor = os.open(f"{place}-{which}", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.fixture
def _short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "TIMEOUT", 0.2)


@pytest.mark.usefixtures("_short_timeout")
@pytest.mark.parametrize("which", HELD)
def test_a_waiter_times_out_and_later_ones_sooner(place: Path, which: str) -> None:
    ours = FairFileLock(place)
    with stopped(place, which):
        for longest in (5.0, 1.0, 1.0):
            began = time.monotonic()
            with pytest.raises(LockTimeoutError), ours.hold():
                pass
            assert time.monotonic() - began < longest
        # Only one thread waits, even if many gave up.
        assert len([thread for thread in threading.enumerate() if thread.name == "gate"]) == 1
    wait_until(lambda: "gate" not in {thread.name for thread in threading.enumerate()}, "it waits for nobody")
    with ours.hold(), pytest.raises(BlockingIOError), Path(f"{place}-gate").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.usefixtures("_short_timeout")
def test_a_waiter_that_timed_out_leaves_its_turn_to_the_next(place: Path) -> None:
    ours = FairFileLock(place)
    with ExitStack() as held:
        held.enter_context(stopped(place, "gate"))
        with pytest.raises(LockTimeoutError), ours.hold():
            pass
        threading.Timer(0.0, held.close).start()
        wait_until(lambda: _is_held(ours), "the turn comes")


def _is_held(ours: FairFileLock) -> bool:
    try:
        with ours.hold():
            return True
    except LockTimeoutError:
        return False


def test_only_one_holds_the_lock_at_a_time(place: Path) -> None:
    gates = [FairFileLock(place) for _ in range(3)]
    inside: list[int] = []
    counts_inside: list[int] = []

    def work(number: int) -> int:
        for _ in range(40):
            with gates[number % 3].hold():
                inside.append(number)
                counts_inside.append(len(inside))
                inside.remove(number)
        return 40

    assert sum(run_concurrently([lambda number=number: work(number) for number in range(9)])) == 360  # type: ignore[misc]
    assert max(counts_inside) == 1


@pytest.mark.usefixtures("_short_timeout")
def test_a_writer_that_is_stopped_costs_the_others_their_writes_only(
    client: FlaskClient, services: Services
) -> None:
    code = client.post("/api/v1/write", json={"text": "before"}).json["code"]
    with stopped(services.settings.data_dir / "saver.db", "gate"):
        answer = client.post("/api/v1/write", json={"text": "x"})
        assert (answer.status_code, answer.json["type"]) == (503, "urn:saver:problem:storage")
        assert answer.headers["Retry-After"]
        assert client.post("/api/v1/load", json={"code": code}).json["text"] == "before"
        assert client.get("/healthz").status_code == 200
    wait_until(lambda: client.post("/api/v1/write", json={"text": "x"}).status_code == 201, "writes go on")
