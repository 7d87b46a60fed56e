"""Charges and counters that several tests of the rate limits use."""

from __future__ import annotations

from redis import Redis

from saver.ratelimit import Charge
from saver.ratelimit.redis import RedisCounters
from saver.redis_client import make_pool
from tests.support.redis_server import RedisServer

A_MINUTE = [Charge("key", 10, 60)]
LONG = 3_600
CREDIT = Charge("credit", 0, 600)
THREADS, TIMES = 8, 200


def counters_in(redis: RedisServer) -> RedisCounters:
    return RedisCounters(Redis(connection_pool=make_pool(redis.url, THREADS)))
