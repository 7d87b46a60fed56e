"""Counters: what holds for the mapped file and for Redis alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from saver.ratelimit import Charge, Counters
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.redis import RedisCounters
from tests.conftest import NOW
from tests.support.counters import A_MINUTE, CREDIT, LONG, THREADS, TIMES, counters_in
from tests.support.threads import run_concurrently


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
        """Let seconds pass at the counters; returns the new time."""

        def passed(seconds: float) -> float:
            if isinstance(counters, RedisCounters):
                request.getfixturevalue("redis_server").age(seconds)
            return NOW + seconds

        return passed

    def test_a_charge_returns_the_count_and_the_rest_of_its_window(
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

    def test_a_credit_is_used_only_once(self, counters: Counters) -> None:
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

    def test_concurrent_charges_are_all_counted(self, counters: Counters) -> None:
        def work() -> list[int]:
            return [counters.charge(A_MINUTE, NOW)[0].counted for _ in range(TIMES)]

        seen = [count for counted in run_concurrently([work] * THREADS) for count in counted]
        assert sorted(seen) == list(range(1, THREADS * TIMES + 1))

    def test_concurrent_charges_and_refunds_leave_nothing(self, counters: Counters) -> None:
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

    def test_a_refund_of_a_forgotten_charge_does_nothing(self, counters: Counters) -> None:
        charged = counters.charge(A_MINUTE, NOW)
        counters.refund(charged, NOW)
        counters.refund(charged, NOW)
        assert counters.get_counts(["key"], NOW) == [0]
        assert counters.charge(A_MINUTE, NOW)[0].counted == 1
