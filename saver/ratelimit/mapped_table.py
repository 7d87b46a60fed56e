"""A hash table of counts in a block of memory."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence

from saver.ratelimit.counters import Charge, ChargeResult, UsedCredit, digest_of

SLOT = struct.Struct("<16sQd")  # hash of the key, count, end of its window in UTC seconds
_SIZE, _pack, _unpack = SLOT.size, SLOT.pack_into, SLOT.unpack_from
NO_FREE_SLOT = "no free slot"
_MAX_PROBES = 64
_MAX_WINDOW = 86_400
# A process reads the clock before it gets the lock, so a window may end this much later (seconds) than
# the clock of the process that finds it would allow.
_CLOCK_TOLERANCE = 1.0
# The rounding error of a sum of UTC seconds and its difference again.
_ROUNDING_ERROR = 1e-6
# The fill of the table is estimated from this many slots; hashes spread keys evenly.
_SAMPLE_SLOTS = 1 << 12


class Table:
    """Counts in fixed windows; the caller holds a lock during every call.

    A slot is free when its count is 0 or its window has ended. It is also free when its window ends later
    than any window can, because the clock was set back or a process died during a write: that must not
    lock anybody out.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.slots = len(memory) // SLOT.size

    def charge(self, charges: Sequence[Charge], now: float, charged: list[ChargeResult]) -> None:
        """Add one to each count that ``charged`` lacks, up to the first that is over. Raises OSError."""
        for charge in charges[len(charged) :]:
            count, ends_at = self.add(charge, now, now)
            charged.append(ChargeResult(charge, count, ends_at - now, ends_at, now))
            if count > charge.limit:
                return

    def add(self, charge: Charge, now: float, began: float) -> tuple[int, float]:
        """Add one to a count: the count and the end of its window.

        A new window begins at ``began``. Raises OSError.
        """
        digest, seconds = charge.digest, charge.seconds
        offset, count, ends_at = self._find(digest, now)
        if offset < 0:
            raise OSError(NO_FREE_SLOT)
        if not now < ends_at <= now + seconds + _CLOCK_TOLERANCE:
            count, ends_at = 0, began + seconds
        _pack(self.memory, offset, digest, count + 1, ends_at)
        return count + 1, ends_at

    def refund(self, charged: Sequence[ChargeResult], now: float) -> None:
        """Subtract each charge again, unless its window has ended."""
        for result in charged:
            digest = result.charge.digest
            offset, count, ends_at = self._find(digest, now)
            # Windows of one count end at different times.
            if count and ends_at == result.window:
                _pack(self.memory, offset, digest, count - 1, ends_at)

    def use_credit(self, credit: Charge, now: float) -> UsedCredit | None:
        """Subtract one credit, if there is one."""
        digest = credit.digest
        offset, count, ends_at = self._find(digest, now)
        if not count:
            return None
        _pack(self.memory, offset, digest, count - 1, ends_at)
        return UsedCredit(credit, ends_at - credit.seconds)

    def refund_credit(self, used: UsedCredit, charges: Sequence[Charge], now: float) -> None:
        """Subtract the used credit and those left in its count, from windows that are no younger."""
        self._subtract(charges, 1, used.window_began, now)
        digest = used.credit.digest
        offset, count, ends_at = self._find(digest, now)
        if count:
            _pack(self.memory, offset, digest, 0, ends_at)
            self._subtract(charges, count, ends_at - used.credit.seconds, now)

    def get_count(self, key: str, now: float) -> int:
        """A count; 0 if its window is not open."""
        return self._find(digest_of(key), now)[1]

    def copy_from(self, other: Table, now: float) -> None:
        """Copy the counts of another table. Raises OSError."""
        for digest, count, ends_at in SLOT.iter_unpack(other.memory):
            if _is_open(count, ends_at, now):
                offset = self._find(digest, now)[0]
                if offset < 0:
                    raise OSError(NO_FREE_SLOT)
                _pack(self.memory, offset, digest, count, ends_at)

    def used_slots(self, now: float) -> float:
        """An estimate of how many slots are in use."""
        size = min(self.slots, _SAMPLE_SLOTS)
        sample = SLOT.iter_unpack(self.memory[: size * SLOT.size])
        return sum(_is_open(count, ends_at, now) for _, count, ends_at in sample) * (self.slots / size)

    def _subtract(self, charges: Sequence[Charge], number: int, began: float, now: float) -> None:
        for charge in charges:
            digest = charge.digest
            offset, count, ends_at = self._find(digest, now)
            if count and ends_at - charge.seconds <= began + _ROUNDING_ERROR:
                _pack(self.memory, offset, digest, max(0, count - number), ends_at)

    def _find(self, digest: bytes, now: float) -> tuple[int, int, float]:
        """The offset of a count or of a free slot for it (-1: none), the count, the end of its window."""
        free, memory, slots = -1, self.memory, self.slots
        latest = now + _MAX_WINDOW + _CLOCK_TOLERANCE
        first = int.from_bytes(digest[:4], "little")
        # Nearly every count lies where its search begins.
        offset = first % slots * _SIZE
        slot_digest, count, ends_at = _unpack(memory, offset)
        if slot_digest == digest and count and now < ends_at <= latest:
            return offset, count, ends_at
        for probe in range(first, first + _MAX_PROBES):
            offset = probe % slots * _SIZE
            slot_digest, count, ends_at = _unpack(memory, offset)
            if count and now < ends_at <= latest:
                if slot_digest == digest:
                    return offset, count, ends_at
                continue
            if free < 0:
                free = offset
            # Its slot of an earlier window, or one never used: no slot of this key lies behind either.
            if slot_digest == digest or not ends_at:
                break
        return free, 0, 0.0


def _is_open(count: int, ends_at: float, now: float) -> bool:
    return count > 0 and now < ends_at <= now + _MAX_WINDOW + _CLOCK_TOLERANCE
