"""Counts in a Redis, exact for every process of every machine that counts there.

Each call is one round trip and, being a script, one step. Windows are in the time
of Redis: the clocks of the machines differ. Every key has an expiry.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from limits.storage import RedisStorage

from saver.ratelimit.counters import Charge, Charged, Taken

_PREFIX = "saver/count/"
_SECRETS = "saver/secrets"
_HOUR = 3_600
# KEYS: the counts; ARGV: how long the window of each is, in milliseconds, and how much is allowed.
# The answer is one string of numbers: reading a list of lists costs a fifth of both calls.
_CHARGE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local told = {now}
for place, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    local ends = redis.call('PEXPIRETIME', key)
    if ends < 0 then
        ends = now + ARGV[2 * place - 1]
        redis.call('PEXPIREAT', key, ends)
    end
    told[place + 1] = count .. ' ' .. ends
    if count > tonumber(ARGV[2 * place]) then break end
end
return table.concat(told, ' ')
"""
# A window is known by the moment at which it ends: the next one ends later.
_LOWER = """
local function lower(key, number)
    if redis.call('DECRBY', key, number) < 1 then redis.call('DEL', key) end
end
local function refund(key, window)
    if redis.call('PEXPIRETIME', key) == tonumber(window) then lower(key, 1) end
end
"""
# KEYS: the counts; ARGV: the window that each was charged in.
_REFUND = f"""{_LOWER}
for place, key in ipairs(KEYS) do refund(key, ARGV[place]) end
"""
# KEYS: the mark, and charges to take back; ARGV: when the window of the mark ends, and their windows.
_LEAVE = f"""{_LOWER}
redis.call('INCR', KEYS[1])
if redis.call('PEXPIRETIME', KEYS[1]) < 0 then redis.call('PEXPIREAT', KEYS[1], ARGV[1]) end
for place = 2, #KEYS do refund(KEYS[place], ARGV[place]) end
"""
# KEYS: the marks, and charges to take back; ARGV: how many marks, and the windows of the charges.
_TAKE = f"""{_LOWER}
local marks = tonumber(ARGV[1])
for place = 1, marks do
    local ends = redis.call('PEXPIRETIME', KEYS[place])
    if ends > 0 then
        lower(KEYS[place], 1)
        for other = marks + 1, #KEYS do refund(KEYS[other], ARGV[other - marks + 1]) end
        return {{place, ends}}
    end
end
return false
"""
# KEYS: a mark, and counts; ARGV: when the window began that one was taken from, and how long
# the windows are, in milliseconds.
_FORGIVE = f"""{_LOWER}
local function forgive(number, begun)
    for place = 2, #KEYS do
        local ends = redis.call('PEXPIRETIME', KEYS[place])
        if ends > 0 and ends - ARGV[place + 1] <= begun then lower(KEYS[place], number) end
    end
end
forgive(1, tonumber(ARGV[1]))
local left = tonumber(redis.call('GET', KEYS[1]) or 0)
if left > 0 then
    forgive(left, redis.call('PEXPIRETIME', KEYS[1]) - ARGV[2])
    redis.call('DEL', KEYS[1])
end
"""
# KEYS: the marks, by when they were noted; ARGV: a mark, and how long one is kept in seconds.
_NOTE = """
local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""


class RedisCounters(RedisStorage):
    """A storage of ``limits`` for URLs such as ``redis://host:port``, in place of the library's own.

    A single Redis of version 7 or newer, not a cluster: a script needs all its keys in one place.
    """

    STORAGE_SCHEME = ["redis", "rediss", "redis+unix"]  # noqa: RUF012 - declared so by the base class

    def initialize_storage(self, _uri: str) -> None:
        """Name the scripts; Redis is told of them when it does not know them."""
        super().initialize_storage(_uri)
        scripts = map(self.storage.register_script, (_CHARGE, _REFUND, _LEAVE, _TAKE, _FORGIVE, _NOTE))
        self._charge, self._refund, self._leave, self._take, self._forgive, self._secrets = scripts

    def prefixed_key(self, key: str) -> str:
        """The key in Redis, which others may use too."""
        return _PREFIX + key

    def charge(self, charges: Sequence[Charge], now: float) -> list[Charged]:
        """Add one to each count, in order, up to the first that is over; in the time of Redis."""
        bounds = [(charge.seconds * 1_000, charge.amount) for charge in charges]
        at, *numbers = map(int, self._charge(self._keys(charges), [*chain(*bounds)]).split())
        return [
            Charged(charge, count, (ends - at) / 1_000, ends, min(at, *numbers[1::2]))
            for charge, count, ends in zip(charges, numbers[::2], numbers[1::2], strict=False)
        ]

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""
        self._refund(self._keys_of(charged), _windows_of(charged))

    def leave(self, mark: Charge, at: float, charged: Sequence[Charged], now: float) -> None:
        """Add one to a count whose window, if none is open, began at ``at``; take charges back."""
        ends = int(at) + mark.seconds * 1_000
        self._leave([*self._keys([mark]), *self._keys_of(charged)], [ends, *_windows_of(charged)])

    def take(self, marks: Sequence[Charge], charged: Sequence[Charged], now: float) -> Taken | None:
        """Take one from the first count that has one; only then take the charges back."""
        found = self._take([*self._keys(marks), *self._keys_of(charged)], [len(marks), *_windows_of(charged)])
        if not found:
            return None
        place, ends = found
        return Taken(marks[place - 1], ends - marks[place - 1].seconds * 1_000)

    def forgive(self, taken: Taken, charges: Sequence[Charge], now: float) -> None:
        """Take back what was taken, and all that is left where it was taken from, from windows as old."""
        counts = [taken.charge, *charges]
        self._forgive(self._keys(counts), [int(taken.begun), *(one.seconds * 1_000 for one in counts)])

    def read(self, keys: Sequence[str], now: float) -> list[int]:
        """Counts whose windows are open; 0 for others."""
        counts = self.storage.mget([self.prefixed_key(key) for key in keys])
        return [int(count or 0) for count in counts]

    def secrets(self, mark: str) -> int:
        """Note the mark of a secret key; how many different ones were noted within the hour."""
        found: int = self._secrets([_SECRETS], [mark, _HOUR])
        return found

    def fill(self, now: float) -> float | None:
        """None: how much it may hold is a matter of that Redis."""
        return None

    def _keys_of(self, charged: Sequence[Charged]) -> list[str]:
        return self._keys([one.charge for one in charged])

    def _keys(self, charges: Sequence[Charge]) -> list[str]:
        return [self.prefixed_key(charge.key) for charge in charges]


def _windows_of(charged: Sequence[Charged]) -> list[int]:
    return [int(one.window) for one in charged]
