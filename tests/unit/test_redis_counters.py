"""Counters in Redis: round trips, expiry, foreign keys, broken connections."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from saver.ratelimit import Charge, CountersError, SafeCounters
from saver.ratelimit.redis import CHARGE_SCRIPT, RedisCounters
from saver.redis_client import make_pool
from tests.conftest import NOW
from tests.support.counters import A_MINUTE, CREDIT, LONG, THREADS, TIMES, counters_in
from tests.support.process import wait_until
from tests.support.redis_server import LostReplyProxy, RedisServer
from tests.support.threads import run_concurrently


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

    def test_a_count_without_an_expiry_gets_one(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        counters.charge(A_MINUTE, NOW)
        redis_server.client.persist("saver/count/key")
        assert counters.charge(A_MINUTE, NOW)[0].seconds_left == pytest.approx(60, abs=2)

    def test_a_refund_while_the_window_ends_is_never_less_than_nothing(
        self, counters: RedisCounters, redis_server: RedisServer
    ) -> None:
        """Windows last milliseconds, so that many end between a charge and its refund."""

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
        redis_server.client.lpush("saver/count/key", "another program's")
        with pytest.raises(CountersError, match=r"^ResponseError$"):
            SafeCounters(counters).charge(A_MINUTE, NOW)

    @pytest.mark.redis
    def test_one_that_keeps_a_log_forgets_nothing_when_it_is_killed(self, tmp_path: Path) -> None:
        with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "everysec") as own:
            counters = counters_in(own)
            charged = [counters.charge(A_MINUTE, NOW) for _ in range(3)]
            # While the disk is busy, Redis writes up to two seconds later.
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
        """Redis may have run the command; a refund that runs twice would allow one guess too many."""
        # Load the script first, so that the first call of the test charges.
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
