"""Counters in a Redis, exact for every process of every machine that counts there.

Each call is one round trip and, being a script, atomic. Windows are in the time of Redis, because the clocks
of the machines differ. Every key has an expiry.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import cast

from redis import Redis, RedisError

from saver.ratelimit.counters import Charge, ChargeResult, UsedCredit

_PREFIX = "saver/count/"
_SECRETS = "saver/secrets"
_HOUR = 3_600
# KEYS: the counts; ARGV: the length of each one's window in milliseconds, and its limit.
# Returns one string of numbers: parsing nested lists costs a fifth of a charge and its refund.
CHARGE_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {now}
for index, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    local ends = redis.call('PEXPIRETIME', key)
    if ends < 0 then
        ends = now + ARGV[2 * index - 1]
        redis.call('PEXPIREAT', key, ends)
    end
    reply[index + 1] = count .. ' ' .. ends
    if count > tonumber(ARGV[2 * index]) then break end
end
return table.concat(reply, ' ')
"""
# The end of a window identifies it: the next window of the same count ends later.
_FUNCTIONS = """
local function subtract(key, number)
    if redis.call('DECRBY', key, number) < 1 then redis.call('DEL', key) end
end
local function refund(key, window)
    if redis.call('PEXPIRETIME', key) == tonumber(window) then subtract(key, 1) end
end
"""
# KEYS: the counts; ARGV: the window that each was charged in.
_REFUND_SCRIPT = f"""{_FUNCTIONS}
for index, key in ipairs(KEYS) do refund(key, ARGV[index]) end
"""
# KEYS: the credit, and charges to refund; ARGV: the end of the credit's window, and those of the charges.
_ADD_CREDIT_SCRIPT = f"""{_FUNCTIONS}
redis.call('INCR', KEYS[1])
if redis.call('PEXPIRETIME', KEYS[1]) < 0 then redis.call('PEXPIREAT', KEYS[1], ARGV[1]) end
for index = 2, #KEYS do refund(KEYS[index], ARGV[index]) end
"""
# KEYS: the credits, and charges to refund; ARGV: the number of credits, and the windows of the charges.
_USE_CREDIT_SCRIPT = f"""{_FUNCTIONS}
local credits = tonumber(ARGV[1])
for index = 1, credits do
    local ends = redis.call('PEXPIRETIME', KEYS[index])
    if ends > 0 then
        subtract(KEYS[index], 1)
        for other = credits + 1, #KEYS do refund(KEYS[other], ARGV[other - credits + 1]) end
        return {{index, ends}}
    end
end
return false
"""
# KEYS: a credit, and counts; ARGV: when the window of the used credit began, and the length of each window
# in milliseconds.
_REFUND_CREDIT_SCRIPT = f"""{_FUNCTIONS}
local function subtract_from_all(number, began)
    for index = 2, #KEYS do
        local ends = redis.call('PEXPIRETIME', KEYS[index])
        if ends > 0 and ends - ARGV[index + 1] <= began then subtract(KEYS[index], number) end
    end
end
subtract_from_all(1, tonumber(ARGV[1]))
local left = tonumber(redis.call('GET', KEYS[1]) or 0)
if left > 0 then
    subtract_from_all(left, redis.call('PEXPIRETIME', KEYS[1]) - ARGV[2])
    redis.call('DEL', KEYS[1])
end
"""
# KEYS: the fingerprints, ordered by time; ARGV: a fingerprint, and how many seconds one is stored.
_COUNT_KEYS_SCRIPT = """
local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""


class RedisCounters:
    """Implements ``Counters`` for all machines that use the same Redis.

    A single Redis of version 7 or newer, not a cluster: a script needs all its keys on one node.
    """

    errors = (RedisError,)

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._charge = client.register_script(CHARGE_SCRIPT)
        self._refund = client.register_script(_REFUND_SCRIPT)
        self._add_credit = client.register_script(_ADD_CREDIT_SCRIPT)
        self._use_credit = client.register_script(_USE_CREDIT_SCRIPT)
        self._refund_credit = client.register_script(_REFUND_CREDIT_SCRIPT)
        self._count_secret_keys = client.register_script(_COUNT_KEYS_SCRIPT)

    def charge(self, charges: Sequence[Charge], now: float) -> list[ChargeResult]:
        """Add one to each count in order, up to and with the first that is over; in the time of Redis."""
        limits = [(charge.seconds * 1_000, charge.limit) for charge in charges]
        at, *numbers = map(int, self._charge(_keys(charges), [*chain(*limits)]).split())
        return [
            ChargeResult(charge, count, (ends - at) / 1_000, ends, min(at, *numbers[1::2]))
            for charge, count, ends in zip(charges, numbers[::2], numbers[1::2], strict=False)
        ]

    def refund(self, charged: Sequence[ChargeResult], now: float) -> None:
        """Subtract each charge again, unless its window has ended."""
        self._refund(_keys_of(charged), _windows_of(charged))

    def add_credit(self, credit: Charge, began: float, charged: Sequence[ChargeResult], now: float) -> None:
        """Add one credit, whose window began at ``began`` if none is open; refund ``charged``."""
        ends = int(began) + credit.seconds * 1_000
        self._add_credit([*_keys([credit]), *_keys_of(charged)], [ends, *_windows_of(charged)])

    def use_credit(
        self, credits: Sequence[Charge], charged: Sequence[ChargeResult], now: float
    ) -> UsedCredit | None:
        """Use one credit of the first count that has one, and refund ``charged``; else change nothing."""
        keys = [*_keys(credits), *_keys_of(charged)]
        reply = self._use_credit(keys, [len(credits), *_windows_of(charged)])
        if not reply:
            return None
        index, ends = reply
        return UsedCredit(credits[index - 1], ends - credits[index - 1].seconds * 1_000)

    def refund_credit(self, used: UsedCredit, charges: Sequence[Charge], now: float) -> None:
        """Subtract the used credit and those left in its count, from windows that are no younger."""
        counts = [used.credit, *charges]
        self._refund_credit(
            _keys(counts), [int(used.window_began), *(count.seconds * 1_000 for count in counts)]
        )

    def get_counts(self, keys: Sequence[str], now: float) -> list[int]:
        """The counts whose windows are open; 0 for others."""
        # The library's type also allows for its asynchronous client.
        counts = cast("list[bytes | None]", self._client.mget([_PREFIX + key for key in keys]))
        return [int(count or 0) for count in counts]

    def count_secret_keys(self, fingerprint: str) -> int:
        """Store the fingerprint of a secret key; the number of different ones within the last hour."""
        count: int = self._count_secret_keys([_SECRETS], [fingerprint, _HOUR])
        return count

    def used_fraction(self, now: float) -> float | None:
        """None: the memory of that Redis is its operator's to watch."""
        return None


def _keys_of(charged: Sequence[ChargeResult]) -> list[str]:
    return _keys([result.charge for result in charged])


def _keys(charges: Sequence[Charge]) -> list[str]:
    return [_PREFIX + charge.key for charge in charges]


def _windows_of(charged: Sequence[ChargeResult]) -> list[int]:
    return [int(result.window) for result in charged]
