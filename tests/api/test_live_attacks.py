"""Strangers who join meetings, in simulated time: how often they guess, and whom they disturb."""

from __future__ import annotations

import heapq
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from saver.meetings import MAX_NUMBER, Meeting, NoMeetingError
from saver.ratelimit.lookups import RateLimitExceededError
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.rules import RateLimits
from saver.settings import Settings
from tests.conftest import NOW, Clock

DAY = 86_400
SOURCES = 1_000
# Honest transfers: so many begin every ten minutes, and each has its right answer after half a minute.
MEETINGS = 20
PERIOD, TAKES = 600, 30
MAKER, STRANGER, JOINER = b"m" * 32, b"s" * 32, b"j" * 32


class Meetings:
    """The meetings of a day. Each maker offers anew as soon as an answer was wrong."""

    def __init__(self) -> None:
        self.open: dict[int, Meeting] = {}
        self.counts: Counter[str] = Counter()
        self._session = 0

    def begin(self) -> None:
        for number in range(1, MEETINGS + 1):
            self.open[number] = self._offer(Meeting(number, "sender", MAKER, 0))

    def finish(self) -> None:
        for number in range(1, MEETINGS + 1):
            meeting = self.open.pop(number, None)
            self.counts["ended" if meeting is None else "finished"] += 1
            if meeting:
                meeting.answer(JOINER, meeting.session or b"", b"", b"")
                self.counts["lost a try"] += meeting.tries_left < 3

    def guess(self, number: int) -> None:
        """Answer with letters that are wrong. Raises NoMeetingError."""
        if number not in self.open:
            raise NoMeetingError
        meeting = self.open[number]
        meeting = meeting.answer(STRANGER, meeting.session or b"", b"", b"")
        self.counts["guesses"] += 1
        self.open[number] = self._offer(meeting)
        if self.open[number].ended:
            del self.open[number]

    def _offer(self, meeting: Meeting) -> Meeting:
        self._session += 1
        return meeting.offer(MAKER, self._session.to_bytes(16, "big"), b"")


def join_for_a_day(
    rate_limits: RateLimits, clock: Clock, random: Random, *, know_numbers: bool
) -> Counter[str]:
    """1,000 sources join numbers and answer, as fast as they may, for a day.

    Those that ``know_numbers`` join only numbers that have a meeting at that moment.
    """
    meetings = Meetings()
    begin, end = clock.now, clock.now + DAY
    waiting = [(begin, source) for source in range(SOURCES)]
    changes = iter([at for start in range(0, DAY, PERIOD) for at in (start, start + TAKES)] + [DAY])
    next_change, is_open = next(changes), False
    while waiting[0][0] < end:
        clock.now, source = heapq.heappop(waiting)
        while begin + next_change <= clock.now:
            meetings.finish() if is_open else meetings.begin()
            next_change, is_open = next(changes), not is_open
        if know_numbers and not meetings.open:
            heapq.heappush(waiting, (begin + next_change, source))
            continue
        address = f"198.51.{source // 250}.{source % 250}"
        number = random.choice([*meetings.open]) if know_numbers else random.randint(1, MAX_NUMBER)
        try:
            with (
                suppress(NoMeetingError),
                rate_limits.limit_lookup(address) as lookup,
                lookup.for_token(NoMeetingError),
            ):
                meetings.counts["joins"] += 1
                if number not in meetings.open:
                    meetings.counts["misses"] += 1
                    raise NoMeetingError
            if number in meetings.open:
                with rate_limits.limit_lookup(address) as lookup, lookup.for_answer("x", NoMeetingError):
                    meetings.counts["misses"] += 1
                    meetings.guess(number)
        except RateLimitExceededError as spent:
            heapq.heappush(waiting, (clock.now + spent.retry_after, source))
            continue
        heapq.heappush(waiting, (clock.now + 1, source))
    return meetings.counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("know_numbers", "guesses", "lost_a_try", "ended"), [(False, 40, 30, 3), (True, 8_640, 0, 2_880)]
)
def test_strangers_that_join_numbers_for_a_day(
    tmp_path: Path, know_numbers: bool, guesses: int, lost_a_try: int, ended: int
) -> None:
    clock = Clock(NOW - NOW % DAY)
    settings = Settings(_env_file=None, data_dir=tmp_path)
    counters = MappedFileCounters(tmp_path / "counts")
    rate_limits = RateLimits(counters, settings, clock=clock, secret=b"secret")
    counts = join_for_a_day(rate_limits, clock, Random(1), know_numbers=know_numbers)
    # 20,000 a day for all together, then one an hour for each source.
    assert counts["misses"] <= 20_000 + 24 * SOURCES
    assert counts["guesses"] <= guesses
    assert counts["lost a try"] <= lost_a_try
    assert counts["ended"] <= ended
    assert know_numbers or counts["finished"] > 2_700
