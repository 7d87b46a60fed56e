"""The messages to the service, over a transport that is passed in; every answer is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn, Protocol

from saver import seal
from saver.codes import BadCodeError, Code
from saver.live_transfer.errors import BadServiceError, MeetingEndedError, NoAnswerError, RefusedError
from saver.live_transfer.exchange import SESSION_BYTES, TAG_BYTES

_NO_MEETING = "urn:saver:problem:no-meeting"
# Before each time that a request is sent again, in seconds.
_PAUSES = (0.7, 2.5)
_LATER = {409, 429, 502, 503, 504}
# In seconds; for longer the user decides.
_MAX_WAIT = 10
_MAX_NUMBER = 9999


class Response(NamedTuple):
    """An answer: its status, its JSON (None if there is none), and what ``Retry-After`` says in seconds."""

    status: int
    body: object = None
    retry_after: float | None = None


class Transport(Protocol):
    """Sends a request and follows no redirect. Raises NoAnswerError."""

    def post(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
        """Send JSON to ``path``, which is below ``/api/v1/``."""


class Messages:
    """Sends messages; each is sent again with the same bytes if its answer is lost.

    Raises NoAnswerError, RefusedError, BadServiceError, and MeetingEndedError for the 404 of a meeting.
    """

    def __init__(self, transport: Transport, sleep: Callable[[float], None]) -> None:
        self._transport = transport
        self.sleep = sleep

    def live(self, path: str, status: int = 204, **body: object) -> Fields:
        """Send a message of a live transfer; bytes in ``body`` are encoded."""
        encoded = {name: _encoded(value) for name, value in body.items()}
        return self.send(f"live/{path}", encoded, status)

    def send(
        self, path: str, body: Mapping[str, object], status: int, headers: Mapping[str, str] | None = None
    ) -> Fields:
        """Send any request; ``status``: that of a good answer."""
        response = self._send(path, body, headers or {})
        if response.status != status:
            _refuse(response)
        return Fields(response.body)

    def _send(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
        for pause in _PAUSES:
            try:
                response = self._transport.post(path, body, headers)
            except NoAnswerError:
                response = Response(503)
            wait = max(pause, response.retry_after or 0)
            if response.status not in _LATER or wait > _MAX_WAIT:
                return response
            self.sleep(wait)
        return self._transport.post(path, body, headers)


class Fields:
    """The fields of an answer. Each method raises BadServiceError for a field of the wrong shape."""

    def __init__(self, body: object) -> None:
        self._body = body if isinstance(body, dict) else {}

    def text(self, name: str, *allowed: str) -> str:
        """A string, one of ``allowed`` if there are any."""
        value = self._body.get(name)
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise BadServiceError
        return value

    def flag(self, name: str) -> bool:
        """True or False."""
        value = self._body.get(name)
        if not isinstance(value, bool):
            raise BadServiceError
        return value

    def number(self, name: str, least: int = 1, most: int = _MAX_NUMBER) -> int:
        """A whole number."""
        value = self._body.get(name)
        if type(value) is not int or not least <= value <= most:
            raise BadServiceError
        return value

    def data(self, name: str, length: int) -> bytes:
        """Bytes in base64url."""
        try:
            data = seal.decode(self.text(name))
        except ValueError:
            raise BadServiceError from None
        if len(data) != length:
            raise BadServiceError
        return data

    def code(self, name: str) -> Code | None:
        """A code, or None."""
        if self._body.get(name) is None:
            return None
        try:
            return Code.parse(self.text(name))
        except BadCodeError:
            raise BadServiceError from None

    def session(self) -> bytes:
        """The session of an offer."""
        return self.data("session", SESSION_BYTES)

    def share(self) -> bytes:
        """The share of the other side."""
        return self.data("share", 32)

    def tag(self) -> bytes:
        """The tag of the other side."""
        return self.data("tag", TAG_BYTES)


def _encoded(value: object) -> object:
    return seal.encode(value) if isinstance(value, bytes) else value


def _refuse(response: Response) -> NoReturn:
    status, body, retry_after = response
    if status == 404 and isinstance(body, dict) and body.get("type") == _NO_MEETING:
        raise MeetingEndedError
    if status in {413, 422, *_LATER}:
        raise RefusedError(status, retry_after)
    raise BadServiceError
