"""Counters: the same in a file and in a Redis, and what is special about each."""

from __future__ import annotations

import fcntl
import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from saver.ratelimit import Charge, Counters, CountersError, SafeCounters
from saver.ratelimit.mapped_file import FIRST_SLOTS, MAX_SLOTS, MappedFileCounters
from saver.ratelimit.redis import CHARGE_SCRIPT, RedisCounters
from saver.redis_client import make_pool
from tests.conftest import NOW
from tests.support.process import wait_until
from tests.support.redis_server import LostReplyProxy, RedisServer
from tests.support.threads import run_concurrently

A_MINUTE = [Charge("key", 10, 60)]
LONG = 3_600
CREDIT = Charge("credit", 0, 600)
THREADS, TIMES = 8, 200


def counters_in(redis: RedisServer) -> RedisCounters:
    return RedisCounters(Redis(connection_pool=make_pool(redis.url, THREADS)))


def test_counts_out_of_reach_refuse_instead_of_letting_pass(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    client = make_app(
        misses_a_minute=5, rate_limit_storage=f"shared://{tmp_path}/no/such/folder"
    ).test_client()
    refused = client.post("/api/v1/load", json={"code": "qqqq"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert client.get("/healthz").status_code == 200


class TestBoth:
    @pytest.fixture(params=["file", "redis"])
    def counters(self, request: pytest.FixtureRequest, tmp_path: Path) -> Counters:
        if request.param == "redis":
            return counters_in(request.getfixturevalue("redis_server"))
        return MappedFileCounters(tmp_path / "counts")

    @pytest.fixture
    def pass_time(self, counters: Counters, request: pytest.FixtureRequest) -> Callable[[float], float]:
        """Let so many seconds pass where it is counted; what the clock then says."""

        def passed(seconds: float) -> float:
            if isinstance(counters, RedisCounters):
                request.getfixturevalue("redis_server").age(seconds)
            return NOW + seconds

        return passed

    def test_a_charge_tells_the_count_and_how_long_its_window_goes_on(
        self, counters: Counters, pass_time: Callable[[float], float]
    ) -> None:
        charges = [*A_MINUTE, Charge("other", 1, LONG)]
        first = counters.charge(charges, NOW)
        later = counters.charge(charges, pass_time(20))
        assert [one.counted for one in first + later] == [1, 1, 2, 2]
        assert [one.seconds_left for one in later] == pytest.approx([40, LONG - 20], abs=2)
        assert [one.is_over for one in later] == [False, True]
        assert counters.get_counts(["key", "other", "none"], NOW + 20) == [2, 2, 0]

    def test_nothing_is_charged_beyond_the_first_that_is_over(self, counters: Counters) -> None:
        charges = [Charge("first", 1, 60), Charge("second", 5, 60)]
        assert [len(counters.charge(charges, NOW)) for _ in range(3)] == [2, 1, 1]
        assert counters.get_counts(["first", "second"], NOW) == [3, 1]

    def test_what_is_back_at_nothing_begins_anew(
        self, counters: Counters, pass_time: Callable[[float], float]
    ) -> None:
        counters.refund(counters.charge(A_MINUTE, NOW), NOW)
        assert counters.charge(A_MINUTE, pass_time(50))[0].seconds_left == pytest.approx(60, abs=2)

    def test_a_credit_is_used_once_by_however_many(self, counters: Counters) -> None:
        at = counters.charge(A_MINUTE, NOW)[0].charged_at
        for _ in range(3):
            counters.add_credit(CREDIT, at, [], NOW)
        found = run_concurrently([lambda: counters.use_credit([CREDIT], [], NOW)] * THREADS)
        assert sum(used is not None for used in found) == 3
        assert counters.use_credit([CREDIT], [], NOW) is None

    def test_charges_are_refunded_only_by_the_call_that_uses_the_credit(self, counters: Counters) -> None:
        charged = counters.charge(A_MINUTE, NOW)
        assert counters.use_credit([CREDIT], charged, NOW) is None
        assert counters.get_counts(["key"], NOW) == [1]
        counters.add_credit(CREDIT, charged[0].charged_at, [], NOW)
        again = counters.charge(A_MINUTE, NOW)
        assert counters.use_credit([Charge("none", 0, 600), CREDIT], again, NOW) is not None
        assert counters.get_counts(["key", "credit"], NOW) == [1, 0]

    def test_what_the_credits_were_charged_is_refunded_and_no_more(self, counters: Counters) -> None:
        charges = [*A_MINUTE, Charge("other", 10, LONG)]
        for _ in range(3):
            counters.add_credit(CREDIT, counters.charge(charges, NOW)[0].charged_at, [], NOW)
        counters.charge(charges, NOW)
        used = counters.use_credit([CREDIT], [], NOW)
        assert used is not None
        counters.refund_credit(used, charges, NOW)
        assert counters.get_counts(["key", "other", "credit"], NOW) == [1, 1, 0]
        counters.refund_credit(used, [Charge("nobody knows", 1, 60)], NOW)

    def test_a_window_that_began_after_the_credit_is_not_refunded(
        self, counters: Counters, pass_time: Callable[[float], float]
    ) -> None:
        charges = [*A_MINUTE, Charge("other", 10, LONG)]
        counters.add_credit(CREDIT, counters.charge(charges, NOW)[0].charged_at, [], NOW)
        later = pass_time(61)
        counters.charge(charges, later)
        used = counters.use_credit([CREDIT], [], later)
        assert used is not None
        counters.refund_credit(used, charges, later)
        # The minute of the credit is over; the hour goes on.
        assert counters.get_counts(["key", "other"], later) == [1, 1]

    def test_a_credit_ends(self, counters: Counters, pass_time: Callable[[float], float]) -> None:
        counters.add_credit(CREDIT, counters.charge(A_MINUTE, NOW)[0].charged_at, [], NOW)
        assert counters.use_credit([CREDIT], [], pass_time(CREDIT.seconds + 1)) is None

    def test_a_window_ends(self, counters: Counters, pass_time: Callable[[float], float]) -> None:
        counters.charge(A_MINUTE, NOW)
        assert counters.get_counts(["key"], pass_time(60)) == [0]
        assert counters.charge(A_MINUTE, NOW + 60)[0].counted == 1

    def test_charges_at_once_are_all_counted(self, counters: Counters) -> None:
        def work() -> list[int]:
            return [counters.charge(A_MINUTE, NOW)[0].counted for _ in range(TIMES)]

        seen = [count for counted in run_concurrently([work] * THREADS) for count in counted]
        assert sorted(seen) == list(range(1, THREADS * TIMES + 1))

    def test_charges_and_refunds_at_once_leave_nothing(self, counters: Counters) -> None:
        charges = [Charge(f"key{number}", 10, LONG) for number in range(4)]

        def work() -> None:
            for _ in range(TIMES):
                counters.refund(counters.charge(charges, NOW), NOW)

        run_concurrently([work] * THREADS)
        assert counters.get_counts([charge.key for charge in charges], NOW) == [0] * 4

    def test_a_refund_is_of_the_window_that_was_charged(
        self, counters: Counters, pass_time: Callable[[float], float]
    ) -> None:
        charged = counters.charge(A_MINUTE, NOW)
        later = pass_time(60)
        counters.refund(charged, later)
        assert counters.charge(A_MINUTE, later)[0].counted == 1
        counters.refund(charged, later)
        assert counters.get_counts(["key"], later) == [1]

    def test_a_refund_of_what_nobody_knows_any_more_is_nothing(self, counters: Counters) -> None:
        charged = counters.charge(A_MINUTE, NOW)
        counters.refund(charged, NOW)
        counters.refund(charged, NOW)
        assert counters.get_counts(["key"], NOW) == [0]
        assert counters.charge(A_MINUTE, NOW)[0].counted == 1


class TestRedisCounts:
    @pytest.fixture
    def counters(self, redis_server: RedisServer) -> RedisCounters:
        return counters_in(redis_server)

    def test_each_call_is_one_round_trip(self, counters: RedisCounters, redis_server: RedisServer) -> None:
        charges = [Charge(f"key{number}", 10, LONG) for number in range(8)]
        counters.refund(counters.charge(charges, NOW), NOW)
        counters.add_credit(CREDIT, NOW * 1_000, [], NOW)
        counters.refund_credit(counters.use_credit([CREDIT], [], NOW), charges, NOW)  # type: ignore[arg-type]
        with redis_server.monitored(counters._client) as sent:
            counters.refund(counters.charge(charges, NOW), NOW)
            counters.get_counts([charge.key for charge in charges], NOW)
            counters.add_credit(CREDIT, NOW * 1_000, [], NOW)
            used = counters.use_credit([CREDIT], [], NOW)
            assert used is not None
            counters.refund_credit(used, charges, NOW)
        assert sent == ["EVALSHA", "EVALSHA", "MGET", "EVALSHA", "EVALSHA", "EVALSHA"]

    def test_every_key_has_our_prefix_and_an_expiry(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        charges = [*A_MINUTE, Charge("other", 1, LONG)]
        counters.charge(charges, NOW)
        counters.refund(counters.charge(charges[:1], NOW), NOW)
        assert {key: 0 < ttl <= LONG for key, ttl in redis_server.ttls().items()} == {
            b"saver/count/key": True,
            b"saver/count/other": True,
        }

    def test_a_count_that_somebody_has_made_last_for_ever_ends(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        counters.charge(A_MINUTE, NOW)
        redis_server.client.persist("saver/count/key")
        assert counters.charge(A_MINUTE, NOW)[0].seconds_left == pytest.approx(60, abs=2)

    def test_a_refund_while_the_window_ends_is_never_less_than_nothing(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        """Windows of milliseconds, so that very many end between a charge and its refund."""

        def work(number: int) -> int:
            lowest = 0
            for _ in range(TIMES):
                charged = counters._charge([f"saver/count/race{number % 2}"], [1 + number % 3, 10])
                counters._refund([f"saver/count/race{number % 2}"], [charged.split()[2]])
                lowest = min(lowest, *counters.get_counts(["race0", "race1"], NOW))
            return lowest

        assert run_concurrently([partial(work, number) for number in range(THREADS)]) == [0] * THREADS

    def test_a_key_of_another_program_is_no_500(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        redis_server.client.lpush("saver/count/key", "somebody else's")
        with pytest.raises(CountersError, match=r"^ResponseError$"):
            SafeCounters(counters).charge(A_MINUTE, NOW)

    @pytest.mark.redis
    def test_one_that_keeps_a_log_forgets_nothing_when_it_is_killed(self, tmp_path: Path) -> None:
        with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "everysec") as own:
            counters = counters_in(own)
            charged = [counters.charge(A_MINUTE, NOW) for _ in range(3)]
            # While the disk is busy it writes up to two seconds later.
            wait_until(lambda: not own.client.info("persistence")["aof_buffer_length"], "nothing is logged")
            own.kill()
            own.start()
            assert counters.get_counts(["key"], NOW) == [3]
            counters.refund(charged[0], NOW)
            after = counters.charge(A_MINUTE, NOW)[0]
            assert (after.counted, after.window) == (3, charged[0][0].window)

    def test_connections_are_bounded_and_one_that_is_wanted_is_waited_for(
        self, redis_server: RedisServer
    ) -> None:
        pool = make_pool(redis_server.url, 2)
        counters = RedisCounters(Redis(connection_pool=pool))
        before = redis_server.count_clients()
        run_concurrently([lambda: counters.charge(A_MINUTE, NOW)] * 20)
        assert redis_server.count_clients() - before <= 2
        assert counters.get_counts(["key"], NOW) == [20]

    def test_what_has_no_answer_is_not_sent_again(self, redis_server: RedisServer) -> None:
        """It may have been done all the same, and a refund that is done twice is a guess too many."""
        # Known beforehand, so that the first call is the one that counts.
        redis_server.client.script_load(CHARGE_SCRIPT)
        with LostReplyProxy(redis_server) as port:
            counters = RedisCounters(Redis(connection_pool=make_pool(f"redis://127.0.0.1:{port}", 1)))
            with pytest.raises(CountersError, match=r"^ConnectionError$"):
                SafeCounters(counters).charge(A_MINUTE, NOW)
        assert counters_in(redis_server).get_counts(["key"], NOW) == [1]

    def test_a_mistyped_option_of_the_url_shows_at_the_start(self) -> None:
        for option in ("socket_timeot=1", "socket_timeout=x"):
            with pytest.raises((TypeError, ValueError), match="socket_time"):
                make_pool(f"redis://127.0.0.1?{option}", 1)


def raised(work: Callable[[], object]) -> type[Exception] | None:
    try:
        work()
    except OSError as error:
        return type(error)
    return None


class TestSharedCounts:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> MappedFileCounters:
        return MappedFileCounters(tmp_path / "counts")

    def test_a_disk_that_fills_up_later_has_room_for_every_count(
        self, shared: MappedFileCounters, tmp_path: Path
    ) -> None:
        # A hole in a mapped file that cannot be filled kills whoever writes there.
        shared.charge([Charge("a", 5, 60)], 1_000.0)
        found = (tmp_path / "counts").stat()
        assert found.st_blocks * 512 >= found.st_size > 1_000_000

    def test_a_file_that_was_full_of_holes_is_filled(self, tmp_path: Path) -> None:
        with (tmp_path / "counts").open("wb") as file:
            file.truncate(1 << 21)
        MappedFileCounters(tmp_path / "counts").charge([Charge("a", 5, 60)], 1_000.0)
        found = (tmp_path / "counts").stat()
        assert found.st_blocks * 512 >= found.st_size

    def test_a_process_that_stops_with_the_table_stops_nobody_else(self, tmp_path: Path) -> None:
        shared = MappedFileCounters(tmp_path / "counts", lock_timeout=0.05)
        shared.charge(A_MINUTE, NOW)
        with (tmp_path / "counts").open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            refused = run_concurrently([lambda: raised(lambda: shared.charge(A_MINUTE, NOW))] * 8)
            assert refused == [OSError] * 8
        assert shared.charge(A_MINUTE, NOW)[0].counted == 2

    def test_a_clock_set_back_locks_nobody_out(self, shared: MappedFileCounters) -> None:
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
        # Whoever has the smaller one open counts in the new one too, and goes on where it was.
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
        # What is there is counted on, and what ends makes room.
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

    def test_a_file_that_is_deleted_splits_nobody(
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
    def test_a_file_that_is_cut_off_kills_nobody(
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

    def test_a_link_is_not_followed(self, shared: MappedFileCounters, tmp_path: Path) -> None:
        target = tmp_path / "somebody else's"
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
