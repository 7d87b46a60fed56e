"""The two sides of a live transfer, from the live code to the text. docs/live-transfer.md specifies it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from saver.codes import Code
from saver.live_transfer import exchange
from saver.live_transfer.attempts import Attempts
from saver.live_transfer.codes import LiveCode, draw_letters
from saver.live_transfer.cpace import SCALAR_BYTES, BadShareError
from saver.live_transfer.errors import BadServiceError, MeetingEndedError, OtherRoleError, WrongLettersError
from saver.live_transfer.exchange import SESSION_BYTES, Agreement, BadTagError, Role, Secret, other_role
from saver.live_transfer.meeting import Meeting, Tools, Written
from saver.live_transfer.messages import Fields

TRIES = 3
_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class MakerState:
    """What the maker needs to go on: ``checked`` is how many tags it has checked for these letters."""

    number: int
    letters: Code = field(repr=False)
    token: bytes = field(repr=False)
    role: Role
    checked: int = 0


class Maker:
    """The side that shows the live code. ``store`` keeps its state; it is called before a tag is checked."""

    def __init__(
        self, tools: Tools, state: MakerState, store: Callable[[MakerState], None] = lambda _: None
    ) -> None:
        self._tools = tools
        self._store = store
        self.state = state
        self._meeting = Meeting(tools, state.number, state.token, state.role)

    @classmethod
    def open(cls, tools: Tools, role: Role, store: Callable[[MakerState], None] = lambda _: None) -> Maker:
        """Open a meeting with new letters. ``role``: that of this side."""
        token = tools.random.randbytes(_TOKEN_BYTES)
        number = tools.messages.live("open", 201, token=token, role=role).number("number")
        state = MakerState(number, draw_letters(tools.random), token, role)
        store(state)
        return cls(tools, state, store)

    @property
    def live_code(self) -> LiveCode:
        """What the user of the other side has to type."""
        return LiveCode(self.state.number, self.state.letters)

    def hand_over(self, text: str, offered: Callable[[int], None] = lambda _: None) -> Written:
        """Wait for the joiner and send the text.

        ``offered`` is called with the tries left whenever the service has an offer: before the first one no
        joiner can come, and before each further one the letters were wrong.
        """
        return self._meeting.send(text, self._agree(offered))

    def receive(self, offered: Callable[[int], None] = lambda _: None) -> str:
        """Wait for the joiner and return its text; ``offered`` as for ``hand_over``."""
        return self._meeting.receive(self._agree(offered))

    def _agree(self, offered: Callable[[int], None]) -> Agreement:
        with self._meeting.closed_on_error():
            return self._make_offers(offered)

    def _make_offers(self, offered: Callable[[int], None]) -> Agreement:
        """Make offers until an answer has the right letters. Raises WrongLettersError after the third."""
        while self.state.checked < TRIES:
            session = self._tools.random.randbytes(SESSION_BYTES)
            maker = exchange.Maker(self._secret(), session, self._tools.random.randbytes(SCALAR_BYTES))
            self._meeting.call("offer", 200, session=session, share=maker.share)
            offered(TRIES - self.state.checked)
            answer = self._meeting.poll_until("answered")
            with suppress(BadTagError, BadShareError):
                share, tag = answer.share(), answer.tag()
                self.state = replace(self.state, checked=self.state.checked + 1)
                self._store(self.state)
                agreement = maker.agree(share)
                agreement.check(tag)
                self._meeting.call("confirm", session=session, tag=agreement.tag)
                return agreement
        raise WrongLettersError(0)

    def _secret(self) -> Secret:
        state = self.state
        return Secret(state.letters, self._tools.service, state.number, state.role)


class Joiner:
    """The side whose user types the live code. ``attempts`` has what was typed before."""

    def __init__(self, tools: Tools, live_code: LiveCode, attempts: Attempts) -> None:
        self._tools = tools
        self._code = live_code
        self._attempts = attempts

    def hand_over(self, text: str) -> Written:
        """Send the text to the maker. Raises OtherRoleError if the maker sends too."""
        meeting = self._meeting("sender")
        return meeting.send(text, self._agree(meeting))

    def receive(self) -> str:
        """Return the text of the maker. Raises OtherRoleError if the maker receives too."""
        meeting = self._meeting("receiver")
        return meeting.receive(self._agree(meeting))

    def _meeting(self, role: Role) -> Meeting:
        return Meeting(self._tools, self._code.number, self._tools.random.randbytes(_TOKEN_BYTES), role)

    def _agree(self, meeting: Meeting) -> Agreement:
        joined = self._join()
        if joined.text("role", "sender", "receiver") != meeting.role:
            raise OtherRoleError
        session = joined.session()
        joiner = self._answer(session, joined.share(), other_role(meeting.role))
        self._attempts.record(self._code)
        try:
            meeting.call("answer", session=session, share=joiner.share, tag=joiner.agreement.tag)
            confirmed = meeting.poll_until("confirmed")
        except MeetingEndedError:
            # The maker has made another offer, or the meeting has ended.
            raise WrongLettersError(self._join().number("tries_left", 0, TRIES)) from None
        try:
            joiner.agreement.check(confirmed.tag())
        except BadTagError:
            meeting.close()
            raise BadServiceError from None
        self._attempts.forget(self._code.number)
        return joiner.agreement

    def _join(self) -> Fields:
        return self._tools.messages.live("join", 200, number=self._code.number)

    def _answer(self, session: bytes, share: bytes, maker_role: Role) -> exchange.Joiner:
        secret = Secret(self._code.letters, self._tools.service, self._code.number, maker_role)
        try:
            return exchange.Joiner.answer(secret, session, share, self._tools.random.randbytes(SCALAR_BYTES))
        except BadShareError:
            raise BadServiceError from None
