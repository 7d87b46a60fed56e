"""Counters in the mapped file: full disks, full tables, stopped processes, links."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import sys
import threading
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from saver.ratelimit import Charge, CountersError, SafeCounters
from saver.ratelimit.file_calls import file_of, find_file, lock, try_lock, unlock
from saver.ratelimit.mapped_file import FIRST_SLOTS, MAX_SLOTS, MappedFileCounters
from tests.conftest import NOW
from tests.support.counters import A_MINUTE, LONG
from tests.support.threads import TIMEOUT, run_concurrently

CHARGES = 5_000


def raised(work: Callable[[], object]) -> type[Exception] | None:
    try:
        work()
    except OSError as error:
        return type(error)
    return None


def fill(counters: MappedFileCounters) -> None:
    """Add as many counts as the first table has slots."""
    for number in range(FIRST_SLOTS):
        counters.charge([Charge(f"{number}", 1, 60)], NOW)


def charge_often(counters: MappedFileCounters) -> None:
    for _ in range(CHARGES):
        counters.charge(A_MINUTE, NOW)


class TestFileCalls:
    @pytest.mark.parametrize("call", [try_lock, unlock, file_of])
    def test_a_call_that_fails_raises(self, call: Callable[[int], object]) -> None:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is compared
            call(-1)
        assert caught.value.errno == errno.EBADF

    def test_a_path_names_the_file_that_is_open(self, tmp_path: Path) -> None:
        path, other = tmp_path / "file", tmp_path / "other"
        with path.open("wb") as file:
            file.truncate(1_234)
            assert find_file(bytes(path)) == file_of(file.fileno())
            assert file_of(file.fileno()).size == 1_234
            other.write_bytes(bytes(1_234))
            other.replace(path)
            assert find_file(bytes(path)) not in (file_of(file.fileno()), None)
        path.unlink()
        assert find_file(bytes(path)) is None
        path.symlink_to(__file__)
        found = find_file(bytes(path))
        assert found
        assert found.inode == path.lstat().st_ino

    def test_a_sandbox_may_forbid_the_call(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "file"
        path.touch()
        found = find_file(bytes(path))
        monkeypatch.setattr("saver.ratelimit.file_calls._statx", lambda *_: -1)
        assert found == find_file(bytes(path))
        assert find_file(bytes(tmp_path / "none")) is None

    def test_no_other_thread_runs_meanwhile(self, tmp_path: Path) -> None:
        may_run, has_run = threading.Lock(), threading.Event()

        def work() -> None:
            with may_run:
                has_run.set()

        interval = sys.getswitchinterval()
        name = bytes(tmp_path / "file")
        with (tmp_path / "file").open("wb") as file:
            may_run.acquire()
            thread = threading.Thread(target=work)
            thread.start()
            try:
                sys.setswitchinterval(TIMEOUT)
                may_run.release()
                for _ in range(10_000):
                    assert try_lock(file.fileno())
                    assert find_file(name)
                    unlock(file.fileno())
                assert not has_run.is_set()
            finally:
                sys.setswitchinterval(interval)
                thread.join()


class TestSharedCounts:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> MappedFileCounters:
        return MappedFileCounters(tmp_path / "counts")

    def test_a_disk_that_fills_up_later_has_room_for_every_count(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        # Writing into a hole of a mapped file kills the process if the disk is full.
        shared.charge([Charge("a", 5, 60)], 1_000.0)
        found = (tmp_path / "counts").stat()
        assert found.st_blocks * 512 >= found.st_size > 1_000_000

    def test_a_file_that_was_full_of_holes_is_filled(self, tmp_path: Path) -> None:
        with (tmp_path / "counts").open("wb") as file:
            file.truncate(1 << 21)
        MappedFileCounters(tmp_path / "counts").charge([Charge("a", 5, 60)], 1_000.0)
        found = (tmp_path / "counts").stat()
        assert found.st_blocks * 512 >= found.st_size

    def test_a_process_that_stops_with_the_lock_blocks_no_other(self, tmp_path: Path) -> None:
        shared = MappedFileCounters(tmp_path / "counts", lock_timeout=0.05)
        shared.charge(A_MINUTE, NOW)
        with (tmp_path / "counts").open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            refused = run_concurrently([lambda: raised(lambda: shared.charge(A_MINUTE, NOW))] * 8)
            assert refused == [OSError] * 8
        assert shared.charge(A_MINUTE, NOW)[0].counted == 2

    def test_a_file_that_stays_locked_can_be_deleted(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        shared.charge(A_MINUTE, NOW)
        with (tmp_path / "counts").open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            (tmp_path / "counts").unlink()
            assert shared.charge(A_MINUTE, NOW)[0].counted == 1

    def test_a_file_that_was_replaced_is_locked_by_nobody(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        shared.charge(A_MINUTE, NOW)
        assert shared._file is not None
        shared_with_a_child = os.dup(shared._file)
        with (tmp_path / "counts").open("rb") as old:
            (tmp_path / "counts").unlink()
            shared.charge(A_MINUTE, NOW)
            assert try_lock(old.fileno())
        os.close(shared_with_a_child)

    def test_a_clock_set_back_refuses_no_source(self, shared: MappedFileCounters) -> None:
        shared.charge(A_MINUTE, NOW)
        charged = shared.charge(A_MINUTE, NOW - LONG)[0]
        assert (charged.counted, charged.seconds_left) == (1, 60)

    def test_many_sources_find_room_as_windows_end(self, shared: MappedFileCounters) -> None:
        for round_ in range(3):
            for number in range(30_000):
                assert shared.charge([Charge(f"{number}", 1, 60)], NOW + round_ * 60)[0].counted == 1

    def test_a_table_that_is_full_grows_and_forgets_nothing(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        other = MappedFileCounters(tmp_path / "counts")
        other.charge([Charge("other", 1, 60)], NOW)
        for number in range(FIRST_SLOTS + 1):
            shared.charge([Charge(f"{number}", 1, 60)], NOW)
        assert (tmp_path / "counts").stat().st_size == 2 * FIRST_SLOTS * 32
        # A process that has the smaller file open continues in the new one, with the same counts.
        assert other.charge([Charge("other", 1, 60)], NOW)[0].counted == 2
        assert set(other.get_counts([f"{number}" for number in range(0, FIRST_SLOTS, 97)], NOW)) == {1}
        assert shared.used_fraction(NOW) == pytest.approx(FIRST_SLOTS / MAX_SLOTS, rel=0.1)

    def test_the_largest_table_refuses_and_leaves_nothing_half_charged(
        self, shared: MappedFileCounters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("saver.ratelimit.mapped_file.MAX_SLOTS", FIRST_SLOTS)

        def fill() -> None:
            for number in range(FIRST_SLOTS + 1):
                SafeCounters(shared).charge([Charge("all", 1 << 40, 60), Charge(f"{number}", 1, 60)], NOW)

        with pytest.raises(CountersError):
            fill()
        [everybody] = shared.get_counts(["all"], NOW)
        assert everybody == sum(shared.get_counts([f"{number}" for number in range(FIRST_SLOTS + 1)], NOW))
        # Existing counts go on, and those that end make room.
        assert shared.charge([Charge("0", 9, 60)], NOW)[0].counted == 2
        assert shared.charge([Charge("new", 9, 60)], NOW + 60)[0].counted == 1

    def test_a_table_that_finds_no_room_to_grow_leaves_nothing_on_the_disk(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        shared.charge(A_MINUTE, NOW)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FIRST_SLOTS * 32, hard))

        def fill() -> None:
            for number in range(FIRST_SLOTS + 1):
                SafeCounters(shared).charge([Charge(f"{number}", 1, 60)], NOW)

        try:
            with pytest.raises(CountersError):
                fill()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [path.name for path in tmp_path.iterdir()] == ["counts"]
        assert shared.charge(A_MINUTE, NOW)[0].counted == 2

    def test_a_deleted_file_does_not_split_the_counts(
        self, shared: MappedFileCounters, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = MappedFileCounters(tmp_path / "counts")
        for one in (shared, other):
            one.charge(A_MINUTE, NOW)
        (tmp_path / "counts").unlink()
        assert [one.charge(A_MINUTE, NOW)[0].counted for one in (shared, other, shared)] == [1, 2, 3]
        assert [record.getMessage() for record in caplog.records] == [
            "the file of counts was deleted: all counts begin at 0"
        ]

    @pytest.mark.parametrize("size", [0, 100, 1 << 20])
    def test_a_truncated_file_kills_no_process(
        self, shared: MappedFileCounters, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
    ) -> None:
        other = MappedFileCounters(tmp_path / "counts")
        charges = [Charge(f"{number}", 10, 60) for number in range(500)]
        for one in (shared, other):
            one.charge(charges, NOW)
        os.truncate(tmp_path / "counts", size)
        before = sum(one.counted for one in shared.charge(charges, NOW))
        assert sum(one.counted for one in other.charge(charges, NOW)) == before + len(charges)
        assert "the file of counts was truncated: all counts begin at 0" in caplog.text

    @pytest.mark.parametrize("size", [0, 100, 1 << 20])
    def test_a_file_that_is_truncated_before_a_refund_kills_no_process(
        self, shared: MappedFileCounters, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
    ) -> None:
        charged = shared.charge([Charge(f"{number}", 10, 60) for number in range(500)], NOW)
        os.truncate(tmp_path / "counts", size)
        shared.refund(charged, NOW)
        assert caplog.messages == ["the file of counts was truncated: all counts begin at 0"]

    def test_a_refund_is_made_in_the_table_that_replaced_the_full_one(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        other = MappedFileCounters(tmp_path / "counts")
        charged = shared.charge(A_MINUTE, NOW)
        fill(other)
        shared.refund(charged, NOW)
        assert other.get_counts(["key"], NOW) == [0]

    def test_a_table_that_is_replaced_just_before_it_is_locked_is_not_charged(
        self, shared: MappedFileCounters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = MappedFileCounters(tmp_path / "counts")
        shared.charge(A_MINUTE, NOW)
        replace = [fill]

        def lock_later(file: int, timeout: float) -> None:
            if replace:
                replace.pop()(other)
            lock(file, timeout)

        monkeypatch.setattr("saver.ratelimit.mapped_file.lock", lock_later)
        assert shared.charge(A_MINUTE, NOW)[0].counted == 2
        assert other.get_counts(["key"], NOW) == [2]

    def test_a_fork_shares_no_lock(self, shared: MappedFileCounters) -> None:
        shared.charge(A_MINUTE, NOW)
        context = get_context("fork")
        children = [context.Process(target=charge_often, args=[shared]) for _ in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join(TIMEOUT)
        assert [child.exitcode for child in children] == [0, 0]
        assert shared.get_counts(["key"], NOW) == [1 + 2 * CHARGES]

    def test_a_link_is_not_followed(self, shared: MappedFileCounters, tmp_path: Path) -> None:
        target = tmp_path / "another program's"
        target.write_bytes(b"counters")
        (tmp_path / "counts").symlink_to(target)
        with pytest.raises(CountersError):
            SafeCounters(shared).charge(A_MINUTE, NOW)
        assert target.read_bytes() == b"counters"

    def test_a_link_in_the_place_of_one_that_is_open_is_not_followed(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        shared.charge(A_MINUTE, NOW)
        (tmp_path / "counts").rename(tmp_path / "moved")
        (tmp_path / "counts").symlink_to(tmp_path / "moved")
        with pytest.raises(CountersError):
            SafeCounters(shared).charge(A_MINUTE, NOW)

    def test_what_is_back_at_nothing_takes_no_room(self, shared: MappedFileCounters) -> None:
        for number in range(2 * FIRST_SLOTS):
            shared.refund(shared.charge([Charge(f"{number}", 1, LONG)], NOW), NOW)
        assert shared.used_fraction(NOW) == 0.0
