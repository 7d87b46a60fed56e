"""A table of counts in a stretch of memory: slots, found by the hash of a key."""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Sequence
from functools import lru_cache

from saver.ratelimit.counters import Charge, Charged, Taken

SLOT = struct.Struct("<16sQd")  # hash of the key, count, end of its window in UTC seconds
_SIZE, _pack, _unpack = SLOT.size, SLOT.pack_into, SLOT.unpack_from
NO_ROOM = "no free slot"
_PROBES = 64
_LONGEST_WINDOW = 86_400
# Whoever looked at the clock first may come second: a window may end this much
# later (seconds) than the one who finds it thinks it could.
_SLACK = 1.0
# What a sum of UTC seconds and its difference again may come apart by.
_ROUNDING = 1e-6
_HASHES = 1 << 16
# So many slots tell how full the table is: where a key lies is chance.
_SAMPLE = 1 << 12


class Table:
    """Counts in fixed windows.

    A slot is free when its count is 0 or its window has ended; also one that ends later
    than it could, because the clock was set back or a process died while it wrote:
    nobody is to be locked out by that. Whoever uses it holds a lock meanwhile.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.slots = len(memory) // SLOT.size

    def charge(self, charges: Sequence[Charge], now: float, charged: list[Charged]) -> None:
        """Add one to each count not ``charged`` yet, up to the first that is over. Raises OSError."""
        for charge in charges[len(charged) :]:
            key, amount, seconds = charge
            count, ends_at = self.add(key, seconds, now)
            charged.append(Charged(charge, count, ends_at - now, ends_at, now))
            if count > amount:
                return

    def add(
        self, key: str, seconds: float, now: float, *, amount: int = 1, begun: float | None = None
    ) -> tuple[int, float]:
        """Add to a count: what it is, and the end of its window (begun at ``begun``). Raises OSError."""
        name = _hash(key)
        place, count, ends_at = self._find(name, now)
        if place < 0:
            raise OSError(NO_ROOM)
        if not now < ends_at <= now + seconds + _SLACK:
            count, ends_at = 0, (now if begun is None else begun) + seconds
        _pack(self.memory, place, name, count + amount, ends_at)
        return count + amount, ends_at

    def refund(self, charged: Sequence[Charged], now: float) -> None:
        """Take each charge back, unless its window has ended."""
        for one in charged:
            name = _hash(one.charge.key)
            place, count, ends_at = self._find(name, now)
            # A window is known by its end: the next one ends later.
            if count and ends_at == one.window:
                _pack(self.memory, place, name, count - 1, ends_at)

    def take(self, mark: Charge, now: float) -> Taken | None:
        """Take one from a count, if it has one."""
        name = _hash(mark.key)
        place, count, ends_at = self._find(name, now)
        if not count:
            return None
        _pack(self.memory, place, name, count - 1, ends_at)
        return Taken(mark, ends_at - mark.seconds)

    def forgive(self, taken: Taken, charges: Sequence[Charge], now: float) -> None:
        """Take back what was taken, and what is left where it was taken from, from windows as old."""
        self._lower(charges, 1, taken.begun, now)
        name = _hash(taken.charge.key)
        place, count, ends_at = self._find(name, now)
        if count:
            _pack(self.memory, place, name, 0, ends_at)
            self._lower(charges, count, ends_at - taken.charge.seconds, now)

    def find(self, key: str, now: float) -> tuple[int, float]:
        """A count and the end of its window; 0 where there is none."""
        return self._find(_hash(key), now)[1:]

    def copy_from(self, other: Table, now: float) -> None:
        """Take over the counts of another table. Raises OSError."""
        for name, count, ends_at in SLOT.iter_unpack(other.memory):
            if _is_open(count, ends_at, now):
                place = self._find(name, now)[0]
                if place < 0:
                    raise OSError(NO_ROOM)
                _pack(self.memory, place, name, count, ends_at)

    def used(self, now: float) -> float:
        """About how many slots are in use."""
        size = min(self.slots, _SAMPLE)
        sample = SLOT.iter_unpack(self.memory[: size * SLOT.size])
        return sum(_is_open(count, ends_at, now) for _, count, ends_at in sample) * (self.slots / size)

    def _lower(self, charges: Sequence[Charge], number: int, begun: float, now: float) -> None:
        for charge in charges:
            name = _hash(charge.key)
            place, count, ends_at = self._find(name, now)
            if count and ends_at - charge.seconds <= begun + _ROUNDING:
                _pack(self.memory, place, name, max(0, count - number), ends_at)

    def _find(self, name: bytes, now: float) -> tuple[int, int, float]:
        """Where a count is or may be put (-1: nowhere), the count, the end of its window."""
        free, memory, slots = -1, self.memory, self.slots
        latest = now + _LONGEST_WINDOW + _SLACK
        first = int.from_bytes(name[:4], "little")
        for probe in range(first, first + _PROBES):
            place = probe % slots * _SIZE
            held, count, ends_at = _unpack(memory, place)
            if count and now < ends_at <= latest:
                if held == name:
                    return place, count, ends_at
                continue
            if free < 0:
                free = place
            # Its own slot of before, or one that was never used: nothing of this name lies beyond.
            if held == name or not ends_at:
                break
        return free, 0, 0.0


def _is_open(count: int, ends_at: float, now: float) -> bool:
    return count > 0 and now < ends_at <= now + _LONGEST_WINDOW + _SLACK


@lru_cache(maxsize=_HASHES)
def _hash(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
