"""The routes of the service that people's commands need, with checked answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from saver.client.errors import (
    NoTextError,
    RateLimitError,
    RefusedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from saver.client.http import Transport
from saver.codes import Code
from saver.live_transfer.errors import BadServiceError, NoAnswerError
from saver.live_transfer.messages import Fields, Response

_NO_TEXT = "urn:saver:problem:no-text"


class WriteResult(NamedTuple):
    """A text that was written; ``expires_at`` as the service writes it."""

    code: Code
    expires_at: str
    owner_token: str


class LoadResult(NamedTuple):
    """A text that was loaded; if ``sealed`` is true, ``text`` is the JWE."""

    text: str
    expires_at: str
    once: bool
    sealed: bool


class Api:
    """The service. Each method raises the errors of ``saver.client.errors``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def write(self, body: Mapping[str, object], key: str) -> WriteResult:
        """Write a text; with the same ``key`` (UUID) and body it is written once."""
        answer = self._ask("write", body, 201, {"Idempotency-Key": key})
        try:
            code = answer.code("code")
            if code is None:
                raise BadServiceError
            return WriteResult(code, answer.text("expires_at"), answer.text("owner_token"))
        except BadServiceError:
            raise UnexpectedAnswerError from None

    def load(self, code: Code, claim: str, proof: str | None = None) -> LoadResult:
        """Load a text; ``claim`` is a UUID of the reader."""
        shown = {} if proof is None else {"proof": proof}
        answer = self._ask("load", {"code": code, "claim": claim, **shown})
        try:
            flags = answer.flag("once"), answer.flag("sealed")
            return LoadResult(answer.text("text"), answer.text("expires_at"), *flags)
        except BadServiceError:
            raise UnexpectedAnswerError from None

    def acknowledge(self, code: Code, claim: str) -> None:
        """A one-time text has arrived."""
        self._ask("ack", {"code": code, "claim": claim}, 204)

    def status(self, code: Code, owner_token: str) -> Mapping[str, object]:
        """What has become of a text, as the service writes it."""
        return self._object("status", {"code": code, "owner_token": owner_token}, "state", "expires_at")

    def extend(self, code: Code, owner_token: str, seconds: int) -> str:
        """Let a text live that many seconds from now; return when it expires."""
        body = {"code": code, "owner_token": owner_token, "expires_in": seconds}
        return str(self._object("extend", body, "expires_at")["expires_at"])

    def delete(self, code: Code, owner_token: str) -> None:
        """Delete a text."""
        self._ask("delete", {"code": code, "owner_token": owner_token}, 204)

    def max_text_bytes(self) -> int:
        """The size of the longest text in bytes."""
        size = self._object("limits", None).get("max_text_bytes")
        if type(size) is not int or size < 1:
            raise UnexpectedAnswerError
        return size

    def _ask(
        self,
        path: str,
        body: Mapping[str, object] | None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Fields:
        return Fields(self._send(path, body, status, headers or {}).body)

    def _object(self, path: str, body: Mapping[str, object] | None, *strings: str) -> Mapping[str, object]:
        found = self._send(path, body, 200, {}).body
        if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in strings):
            raise UnexpectedAnswerError
        return found

    def _send(
        self, path: str, body: Mapping[str, object] | None, status: int, headers: Mapping[str, str]
    ) -> Response:
        try:
            response = self._transport.post(path, body, headers)
        except NoAnswerError:
            raise UnreachableError from None
        if response.status != status:
            _refuse(response)
        return response


def _refuse(response: Response) -> NoReturn:
    status, body, retry_after = response
    problem = body if isinstance(body, dict) else {}
    if status == 404 and problem.get("type") == _NO_TEXT:
        raise NoTextError(problem.get("seal"))
    if status == 429:
        raise RateLimitError(retry_after)
    if status in {409, 502, 503, 504}:
        raise UnavailableError(retry_after)
    if status == 413:
        raise RefusedError("The text is too long for this service.")
    if status == 422:
        raise RefusedError(f"The service refuses this: {_rule(problem)}.")
    raise UnexpectedAnswerError


def _rule(problem: Mapping[str, object]) -> str:
    """The first fault, as "field: rule"; the service repeats no input."""
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    if not isinstance(first, dict):
        return "it breaks a rule"
    parts = [str(first.get("pointer", "")).removeprefix("/"), str(first.get("detail", "it breaks a rule"))]
    # What the service writes goes to a terminal.
    return "".join(filter(str.isprintable, ": ".join(filter(None, parts))))
