"""Counts in a Redis, exact for every process of every machine that counts there.

Each call is one round trip and, being a script, one step. Windows are in the time
of Redis: the clocks of the machines differ. Every key has an expiry.
"""

from __future__ import annotations

from collections.abc import Sequence

from limits.storage import RedisStorage

from saver.counts.base import Charge, Charged

_PREFIX = "saver/count/"
# KEYS: the counts; ARGV: how long the window of each is, in milliseconds.
# The answer is one string of numbers: reading a list of lists costs a fifth of both calls.
_CHARGE = """
local told = {}
for place, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    if redis.call('PTTL', key) < 0 then
        redis.call('PEXPIRE', key, ARGV[place])
    end
    told[place] = count .. ' ' .. redis.call('PTTL', key) .. ' ' .. redis.call('PEXPIRETIME', key)
end
return table.concat(told, ' ')
"""
# KEYS: the counts; ARGV: the window that each was charged in.
# A window is known by the moment at which it ends: the next one ends later.
_REFUND = """
for place, key in ipairs(KEYS) do
    if redis.call('PEXPIRETIME', key) == tonumber(ARGV[place]) then
        redis.call('DECR', key)
    end
end
"""


class RedisCounts(RedisStorage):
    """A storage of ``limits`` for URLs such as ``redis://host:port``, in place of the library's own.

    A single Redis of version 7 or newer, not a cluster: a script needs all its keys in one place.
    """

    STORAGE_SCHEME = ["redis", "rediss", "redis+unix"]  # noqa: RUF012 - declared so by the base class

    def initialize_storage(self, _uri: str) -> None:
        """Name the scripts; Redis is told of them when it does not know them."""
        super().initialize_storage(_uri)
        self._charge = self.storage.register_script(_CHARGE)
        self._refund = self.storage.register_script(_REFUND)

    def prefixed_key(self, key: str) -> str:
        """The key in Redis, which others may use too."""
        return _PREFIX + key

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count, in the time of Redis."""
        told = self._charge(self._keys(charges), [charge.seconds * 1_000 for charge in charges])
        numbers = map(int, told.split())
        return [
            Charged(charge, count, left / 1_000, window)
            for charge, count, left, window in zip(charges, numbers, numbers, numbers, strict=True)
        ]

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""
        self._refund(self._keys([one.charge for one in charged]), [one.window for one in charged])

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""
        counts = self.storage.mget([self.prefixed_key(key) for key in keys])
        return [int(count or 0) for count in counts]

    def _keys(self, charges: Sequence[Charge]) -> list[str]:
        return [self.prefixed_key(charge.key) for charge in charges]
