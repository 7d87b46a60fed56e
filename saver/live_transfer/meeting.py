"""One side's view of a meeting: polling, and the text when both sides have the same key."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from saver import seal
from saver.codes import Code
from saver.live_transfer.errors import BadServiceError, LiveTransferError, MeetingEndedError
from saver.live_transfer.exchange import Agreement, Role
from saver.live_transfer.messages import Fields, Messages
from saver.seal import BadSealError, Keys

LIFETIME_SECONDS = 600
_STATES = ("waiting", "answered", "confirmed")


@dataclass(frozen=True, slots=True)
class Tools:
    """What both sides need.

    ``service``: the address as docs/live-transfer.md writes it. ``random``: a CSPRNG.
    ``clock``: seconds that never run back.
    """

    messages: Messages
    service: str
    random: Random
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Written:
    """What the sender has written: the code and the owner token of the encrypted text."""

    code: Code
    owner_token: str = field(repr=False)


class Meeting:
    """A meeting as one side sees it, with its token and its role."""

    def __init__(self, tools: Tools, number: int, token: bytes, role: Role) -> None:
        self._tools = tools
        self._messages = tools.messages
        self._number = number
        self._token = token
        self.role = role

    def call(self, path: str, status: int = 204, **body: object) -> Fields:
        """Send a message with the number and the token."""
        return self._messages.live(path, status, number=self._number, token=self._token, **body)

    def close(self) -> None:
        """End the meeting, if the service can be reached."""
        with suppress(LiveTransferError):
            self.call("close")

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """End the meeting if anything goes wrong, also if the user interrupts."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def polls(self) -> Iterator[Fields]:
        """Poll until a meeting that begins now must have ended. Raises MeetingEndedError then."""
        start = self._tools.clock()
        while (passed := self._tools.clock() - start) <= LIFETIME_SECONDS:
            yield self.call("poll", 200)
            self._messages.sleep(0.5 if passed < 10 else 1 if passed < 60 else 2)
        raise MeetingEndedError

    def poll_until(self, state: str) -> Fields:
        """Return the first answer with this state."""
        for seen in self.polls():
            if seen.text("state", *_STATES) == state:
                return seen
        raise AssertionError  # polls() has no other end

    def send(self, text: str, agreement: Agreement) -> Written:
        """Write the text under the key that both sides have, and tell its code to the receiver."""
        with self.closed_on_error():
            nonce = self._tools.random.randbytes(seal.NONCE_BYTES)
            jwe = seal.encrypt_under(seal.LIVE_HEADER, text, agreement.keys.key, nonce)
            proof = seal.encode(agreement.keys.proof)
            body = {"text": jwe, "proof": proof, "once": True, "expires_in": LIFETIME_SECONDS}
            written = self._messages.send("write", body, 201, {"Idempotency-Key": self._uuid()})
            code = written.code("code")
            if code is None:
                raise BadServiceError
            result = Written(code, written.text("owner_token"))
            self.call("deliver", code=code)
            return result

    def receive(self, agreement: Agreement) -> str:
        """Wait for the code of the text, and load, open and acknowledge it."""
        with self.closed_on_error():
            code = self._poll_code()
            text = self._load({"code": code, "claim": self._uuid()}, agreement.keys)
        self.close()
        return text

    def _poll_code(self) -> Code:
        for seen in self.polls():
            if code := seen.code("code"):
                return code
        raise AssertionError  # polls() has no other end

    def _load(self, reader: dict[str, object], keys: Keys) -> str:
        loaded = self._messages.send("load", {**reader, "proof": seal.encode(keys.proof)}, 200)
        try:
            if not loaded.flag("sealed"):
                raise BadServiceError
            text = seal.decrypt(loaded.text("text"), keys.key, live=True)
        except BadSealError:
            raise BadServiceError from None
        # Whether it arrives or not: the service ends a text that was loaded once by itself.
        with suppress(LiveTransferError):
            self._messages.send("ack", reader, 204)
        return text

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self._tools.random.randbytes(16), version=4))
