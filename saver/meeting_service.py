"""The messages of live transfers and what they are charged. Knows neither HTTP nor SQL."""

from __future__ import annotations

from saver.meetings import Meeting, NoMeetingError, PollResult
from saver.ratelimit.lookups import Lookup
from saver.ratelimit.rules import RateLimits
from saver.store import MeetingStore


class MeetingService:
    """Brings two clients together, see docs/live-transfer.md. Each method raises NoMeetingError.

    A caller is charged before its request is parsed: an ``open`` by the limits of writes, ``join`` and
    ``answer`` by ``lookup``, and every other message by ``charge``.
    """

    def __init__(self, store: MeetingStore, rate_limits: RateLimits) -> None:
        self._rate_limits = rate_limits
        self._store = store
        self.open, self.offer = store.open, store.offer
        self.confirm, self.deliver, self.close = store.confirm, store.deliver, store.close

    def lookup(self, address: str) -> Lookup:
        """Charge a look-up, see ``TextService.lookup``."""
        return self._rate_limits.limit_lookup(address)

    def charge(self, address: str) -> None:
        """Charge a message that is no look-up. Raises RateLimitExceededError and CountersError."""
        self._rate_limits.limit_live_request(address)

    def join(self, lookup: Lookup, number: int) -> Meeting:
        """Return a meeting whose offer can be answered; none is a miss."""
        with lookup.for_token(NoMeetingError):
            return self._store.join(number)

    def answer(  # noqa: PLR0913, PLR0917 - the fields of the message
        self, lookup: Lookup, number: int, token: bytes, session: bytes, share: bytes, tag: bytes
    ) -> None:
        """Answer an offer: a guess of the letters, and so a miss until ``poll`` sees it confirmed."""
        with lookup.for_answer(_answer_key(number, session), NoMeetingError):
            self._store.answer(number, token, session, share, tag)

    def poll(self, address: str, number: int, token: bytes) -> PollResult:
        """Return what a client sees of its meeting."""
        meeting, seen = self._store.poll(number, token)
        # The maker's tag is for the joiner.
        if meeting.session and seen.state == "confirmed" and seen.tag:
            self._rate_limits.refund_answer(address, _answer_key(number, meeting.session))
        return seen


def _answer_key(number: int, session: bytes) -> str:
    # With its session, so that the right answer does not refund a wrong one before it.
    return f"live {number} {session.hex()}"
