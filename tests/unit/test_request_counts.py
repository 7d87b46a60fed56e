"""Counts of requests: several processes and versions, threads, a full disk, a fork."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from saver.ops.request_counts import BUCKETS, NO_ROUTE, STATUSES, UNKNOWN, RequestCounts
from tests.support.server import ROOT
from tests.support.threads import run_concurrently

ROUTES = ("/api/v1/load", "/")
COUNTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from saver.ops.request_counts import RequestCounts
counts = RequestCounts(Path(sys.argv[1]), lambda: ("/api/v1/load", "/"))
for _ in range(5):
    counts.count("/", "200")
counts.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def counts_in(folder: Path, *more: str) -> RequestCounts:
    """As a process makes it."""
    return RequestCounts(folder / "requests", lambda: (*ROUTES, *more))


def total(counts: RequestCounts, route: str, status: str) -> int:
    return {found.route: found.statuses for found in counts.totals()}[route][status]


def count(counts: RequestCounts) -> None:
    """Count a request and write it."""
    counts.count("/", "200")
    counts.flush()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("requests-*"))


def test_status_and_duration_are_counted_by_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saver.ops.request_counts.monotonic_ns", lambda: 10_000_000_000)
    counts = counts_in(tmp_path)
    for status, microseconds in (("200", 1_000), ("200", 1_001), ("599", 7_500_000)):
        counts.count("/", status, 10_000_000_000 - microseconds * 1_000)
    counts.count(NO_ROUTE, "408")
    found = {found.route: found for found in counts.totals()}
    assert set(found) == {*ROUTES, UNKNOWN, NO_ROUTE}
    assert {status: count for status, count in found["/"].statuses.items() if count} == {"200": 2, "other": 1}
    assert list(found["/"].buckets) == [1, 1, *[0] * (len(BUCKETS) - 2), 1]
    assert found["/"].seconds == pytest.approx(7.502001)
    assert (found[NO_ROUTE].statuses["408"], sum(found[NO_ROUTE].buckets)) == (1, 0)
    assert [*found["/"].statuses] == [*STATUSES]


def test_all_processes_are_added_up(tmp_path: Path) -> None:
    first, second = counts_in(tmp_path), counts_in(tmp_path)
    for counts in (first, second, second):
        count(counts)
    assert [total(counts, "/", "200") for counts in (first, second, counts_in(tmp_path))] == [3, 3, 3]
    assert files(tmp_path) == ["requests-0", "requests-1"]


def test_a_process_that_is_killed_leaves_its_counts_and_its_file_to_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTS_AND_IS_KILLED, str(tmp_path / "requests")]
    for _ in range(3):
        assert subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode == -9
    counts = counts_in(tmp_path)
    assert total(counts, "/", "200") == 15
    counts.count("/", "200")
    assert (total(counts, "/", "200"), files(tmp_path)) == (16, ["requests-0"])


def test_a_child_process_does_not_write_into_the_file_of_its_parent(tmp_path: Path) -> None:
    counts = counts_in(tmp_path)
    counts.count("/", "200")
    child = os.fork()
    if not child:
        count(counts)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    counts.count("/", "200")
    assert (total(counts, "/", "200"), files(tmp_path)) == (3, ["requests-0", "requests-1"])


def test_threads_lose_nothing(tmp_path: Path) -> None:
    counts = counts_in(tmp_path)

    def work() -> None:
        for _ in range(500):
            counts.count("/", "200")

    run_concurrently([work] * 8)
    assert total(counts, "/", "200") == 4_000


def test_a_file_of_another_version_is_not_read_and_used_again(tmp_path: Path) -> None:
    counts_in(tmp_path, "/removed").count("/", "200")
    old = (tmp_path / "requests-0").stat().st_size
    # As if the process had ended.
    (tmp_path / "requests-0").rename(tmp_path / "was")
    (tmp_path / "requests-0").write_bytes((tmp_path / "was").read_bytes())
    counts = counts_in(tmp_path)
    assert total(counts, "/", "200") == 0
    counts.count("/", "200")
    assert total(counts, "/", "200") == 1
    assert (files(tmp_path), (tmp_path / "requests-0").stat().st_size < old) == (["requests-0"], True)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 100_000])
def test_a_damaged_file_begins_at_zero(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requests-0").write_bytes(content)
    counts = counts_in(tmp_path)
    counts.count("/", "200")
    assert total(counts, "/", "200") == 1


@pytest.mark.parametrize("size", [0, 100])
def test_a_truncated_file_is_written_again(tmp_path: Path, size: int) -> None:
    counts = counts_in(tmp_path)
    counts.count("/", "200")
    os.truncate(tmp_path / "requests-0", size)
    counts.count("/", "200")
    assert total(counts, "/", "200") == 2


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x")
    (tmp_path / "requests-0").symlink_to("other")
    counts_in(tmp_path).count("/", "200")
    assert (tmp_path / "other").read_bytes() == b"x"


def test_what_cannot_be_written_fails_no_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counts = counts_in(tmp_path / "missing")
    counts.count("/", "200")
    counts.count("/", "200")
    assert total(counts, "/", "200") == 0
    assert caplog.text.count("are not counted") == 1


def test_a_full_disk_fails_no_request_and_loses_none(tmp_path: Path) -> None:
    counts = counts_in(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may have a byte.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        counts.count("/", "200")
        counts.count("/", "200")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "requests-0").stat().st_size == 0
    assert total(counts, "/", "200") == 2
