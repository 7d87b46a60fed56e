"""A meeting of two clients for a live transfer, and which message fits when; docs/live-transfer.md.

Every message makes the next state of the meeting, or is refused and changes nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import Literal

LIFETIME_SECONDS = 600
TRIES = 3
MAX_NUMBER = 9_999

Role = Literal["sender", "receiver"]


class NoMeetingError(Exception):
    """There is no meeting that the message fits; never says why."""


class NoNumberError(Exception):
    """Every number has a meeting."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What a client sees of its meeting; what is not for it, or not there yet, is None."""

    state: Literal["waiting", "answered", "confirmed"]
    share: bytes | None = None
    tag: bytes | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """The state of a meeting. A token is given as its hash, ``expires_at`` is in UTC seconds.

    ``role`` is that of the maker. ``session`` and ``share`` are those of the last offer; the fields of the
    joiner, ``answer_…``, belong to the same session.
    """

    number: int
    role: Role
    maker_hash: bytes
    expires_at: int
    tries_left: int = TRIES
    ended: bool = False
    session: bytes | None = None
    share: bytes | None = None
    joiner_hash: bytes | None = None
    answer_share: bytes | None = None
    answer_tag: bytes | None = None
    confirm_tag: bytes | None = None
    code: str | None = None

    @property
    def joiner_role(self) -> Role:
        """The role of the joiner."""
        return "receiver" if self.role == "sender" else "sender"

    def open_again(self, role: Role) -> Meeting:
        """The maker has repeated its ``open``. Raises NoMeetingError."""
        return self._if(not self.ended and role == self.role)

    def offer(self, token: bytes, session: bytes, share: bytes) -> Meeting:
        """The maker begins a session, which says that an answer to the last one was wrong.

        The result has ``ended`` if that was the last try. Raises NoMeetingError.
        """
        self._require(self._is_maker(token) and self.confirm_tag is None)
        if (session, share) == (self.session, self.share):
            # Repeated after a lost response: it says nothing about an answer that came meanwhile.
            return self
        tries_left = self.tries_left - (self.joiner_hash is not None)
        if not tries_left:
            return self._end()
        return replace(
            self,
            session=session,
            share=share,
            tries_left=tries_left,
            joiner_hash=None,
            answer_share=None,
            answer_tag=None,
        )

    def join(self) -> Meeting:
        """Somebody asks for the offer, to answer it. Raises NoMeetingError."""
        return self._if(self.session is not None and self.joiner_hash is None)

    def answer(self, token: bytes, session: bytes, share: bytes, tag: bytes) -> Meeting:
        """Somebody answers the offer; the first one becomes the joiner. Raises NoMeetingError."""
        self._require(session == self.session and not self._is_maker(token))
        if self.joiner_hash is not None:
            return self._if(self._is_joiner(token) and (share, tag) == (self.answer_share, self.answer_tag))
        return replace(self, joiner_hash=token, answer_share=share, answer_tag=tag)

    def poll(self, token: bytes) -> PollResult:
        """Return what one of the two sees. Raises NoMeetingError."""
        is_maker = self._is_maker(token)
        self._require(is_maker or self._is_joiner(token))
        if self.joiner_hash is None:
            return PollResult("waiting")
        if self.confirm_tag is None:
            return PollResult("answered", self.answer_share, self.answer_tag) if is_maker else _ANSWERED
        tag = None if is_maker else self.confirm_tag
        return PollResult("confirmed", tag=tag, code=None if self._is_sender(token) else self.code)

    def confirm(self, token: bytes, session: bytes, tag: bytes) -> Meeting:
        """The maker says that the answer was right. Raises NoMeetingError."""
        self._require(self._is_maker(token) and session == self.session and self.joiner_hash is not None)
        self._require(self.confirm_tag in (None, tag))
        return replace(self, confirm_tag=tag)

    def deliver(self, token: bytes, code: str) -> Meeting:
        """The sender has written the text. Raises NoMeetingError."""
        self._require(self.confirm_tag is not None and self._is_sender(token))
        self._require(self.code in (None, code))
        return replace(self, code=code)

    def close(self, token: bytes) -> Meeting:
        """End it: a joiner only after it was confirmed, as anybody can be one. Raises NoMeetingError."""
        self._require(self._is_maker(token) or (self._is_joiner(token) and self.confirm_tag is not None))
        return self._end()

    def _end(self) -> Meeting:
        """Forget everything but what keeps the number taken."""
        return Meeting(self.number, self.role, self.maker_hash, self.expires_at, ended=True)

    def _is_maker(self, token: bytes) -> bool:
        return hmac.compare_digest(token, self.maker_hash)

    def _is_joiner(self, token: bytes) -> bool:
        return self.joiner_hash is not None and hmac.compare_digest(token, self.joiner_hash)

    def _is_sender(self, token: bytes) -> bool:
        return self._is_maker(token) if self.role == "sender" else self._is_joiner(token)

    def _if(self, fits: bool) -> Meeting:
        self._require(fits)
        return self

    @staticmethod
    def _require(fits: bool) -> None:
        if not fits:
            raise NoMeetingError


_ANSWERED = PollResult("answered")
