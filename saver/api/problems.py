"""Problem documents (RFC 9457): the table that maps every error to a response.

A problem names the field and the rule, and never repeats the input.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from saver.codes import BadCodeError
from saver.database import StorageError
from saver.key_deriver import BusyError
from saver.meetings import NoMeetingError, NoNumberError
from saver.ratelimit import CountersError
from saver.ratelimit.lookups import RateLimitExceededError
from saver.ratelimit.rules import InFlightError
from saver.receipts import ReceiptsError
from saver.seal import BadSealError
from saver.store import FullError, KeyReusedError, NoTextError, PoolEmptyError, QuotaError
from saver.texts import InvalidLifetimeError, InvalidTextError, TextTooLargeError

MEDIA_TYPE = "application/problem+json"
_SOON, _LATER = 1, 60  # Retry-After in seconds
_log = logging.getLogger(__name__)
# A field name that is safe to repeat: it is never a code, and hardly a password.
_SAFE_NAME = re.compile("[a-z][a-z_]{0,31}")


# A JSON pointer and the rule that the field breaks.
Violation = tuple[str, str]


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A response that reports a problem."""

    def __init__(  # noqa: PLR0913 - the members of a problem document
        self,
        status: int,
        kind: str,
        title: str,
        *,
        detail: str | None = None,
        errors: list[Violation] | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.document: dict[str, object] = {
            "type": f"urn:saver:problem:{kind}",
            "title": title,
            "status": status,
        }
        if detail:
            self.document["detail"] = detail
        if errors:
            self.document["errors"] = [{"pointer": pointer, "detail": rule} for pointer, rule in errors]
        self.document.update(extensions)
        self.headers = {"Retry-After": str(retry_after)} if retry_after else dict(headers or {})

    def response(self) -> Response:
        """Return the HTTP response."""
        return Response(json.dumps(self.document), self.status, self.headers, content_type=MEDIA_TYPE)


def invalid(*errors: Violation) -> Problem:
    """Make a 422: the fields break a rule."""
    return Problem(422, "invalid", "The request is against a rule.", errors=list(errors))


def register(app: Flask) -> None:
    """Register a handler for every error of the app."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(BadCodeError, lambda error: invalid(("/code", str(error))).response())
    app.register_error_handler(
        InvalidTextError, lambda error: invalid((f"/{error.field}", str(error))).response()
    )
    app.register_error_handler(
        InvalidLifetimeError, lambda error: invalid(("/expires_in", str(error))).response()
    )
    app.register_error_handler(TextTooLargeError, lambda error: _too_large(error).response())
    app.register_error_handler(NoTextError, lambda error: _no_text(error).response())
    app.register_error_handler(NoMeetingError, lambda _: _NO_MEETING.response())
    app.register_error_handler(NoNumberError, lambda _: _NO_NUMBER.response())
    app.register_error_handler(RateLimitExceededError, lambda error: _rate_limited(error).response())
    app.register_error_handler(QuotaError, lambda _: _QUOTA.response())
    app.register_error_handler(FullError, lambda _: _FULL.response())
    app.register_error_handler(InFlightError, lambda _: _IN_FLIGHT.response())
    app.register_error_handler(KeyReusedError, lambda _: _KEY_REUSED.response())
    app.register_error_handler(BadSealError, lambda _: _BROKEN_SEAL.response())
    app.register_error_handler(ReceiptsError, _storage_error)
    app.register_error_handler(PoolEmptyError, lambda _: _POOL_EMPTY.response())
    app.register_error_handler(BusyError, lambda _: _BUSY.response())
    app.register_error_handler(StorageError, _storage_error)
    app.register_error_handler(CountersError, _storage_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)


_POOL_EMPTY = Problem(
    503, "pool-empty", "No code is free at the moment.", detail="Try again later.", retry_after=_LATER
)
_NO_MEETING = Problem(
    404, "no-meeting", "No such meeting.", detail="There is no live transfer that the request fits."
)
_NO_NUMBER = Problem(503, "no-number", "Every number is in use.", detail="Try later.", retry_after=_LATER)
_BUSY = Problem(
    503, "busy", "Too many passwords are being checked.", detail="Try again in a moment.", retry_after=_SOON
)


_BROKEN_SEAL = Problem(
    422,
    "broken-seal",
    "The sealed text under this code does not open.",
    detail="The client that encrypted it did not follow the format.",
)
_QUOTA = Problem(
    429,
    "quota",
    "Too much is kept from here.",
    detail="Delete a text or wait until one expires.",
    retry_after=_LATER,
)
_FULL = Problem(
    503,
    "full",
    "There is no room for another text at the moment.",
    detail="Try again later. Texts that are there can be loaded, extended and deleted.",
    retry_after=_LATER,
)
_IN_FLIGHT = Problem(
    409,
    "in-flight",
    "The same write is under way.",
    detail="Ask again with the same Idempotency-Key.",
    retry_after=_SOON,
)
_KEY_REUSED = Problem(
    422,
    "key-reused",
    "The Idempotency-Key came before with another request.",
    detail="Use a new key for a new write.",
)


def _no_text(error: NoTextError) -> Problem:
    return Problem(
        404,
        "no-text",
        "No text under this code.",
        detail="There is no text under this code, or the password is missing or wrong.",
        seal=error.seal.as_json(),
    )


def _too_large(error: TextTooLargeError) -> Problem:
    rule = f"must be at most {error.max_bytes} bytes of UTF-8"
    return Problem(413, "too-large", "The text is too large.", errors=[("/text", rule)])


def _rate_limited(error: RateLimitExceededError) -> Problem:
    return Problem(
        429,
        "too-many",
        "Too many requests.",
        detail="Try again after the time that Retry-After gives.",
        retry_after=error.retry_after,
    )


def _storage_error(error: StorageError | CountersError | ReceiptsError) -> Response:
    _log.error("storage: %s", error)
    return Problem(
        503, "storage", "The service cannot reach its storage.", detail="Try again later.", retry_after=_SOON
    ).response()


def violations_of(error: ValidationError) -> list[Violation]:
    """List the rules that the fields break, without the values."""
    return [
        (pointer(detail["loc"]), _RULES.get(detail["type"], detail["msg"].removeprefix("Value error, ")))
        for detail in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def pointer(location: Iterable[object]) -> str:
    """Return the JSON pointer of a field, as far as its name is safe to repeat."""
    return "".join(f"/{name}" for name in location if _SAFE_NAME.fullmatch(str(name)))


_RULES: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_unicode": "must not contain lone surrogates",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    # HTTP requires Allow with 405, and Retry-After belongs to 503.
    headers = {
        name: value
        for name, value in error.get_response().headers.items()
        if name in ("Allow", "Retry-After")
    }
    detail = None
    if status == HTTPStatus.NOT_FOUND:
        detail = f"The API is described at {request.script_root}/api/v1/openapi.json."
    elif "Allow" in headers:
        methods = sorted({*headers["Allow"].split(", ")} - {"HEAD", "OPTIONS"})
        detail = f"Use {' or '.join(methods)}."
    return Problem(status, f"http-{status}", f"{error.name}.", detail=detail, headers=headers).response()


def _unexpected_error(error: Exception) -> Response:
    # Log the traceback without the message, which may contain input.
    _log.error("unexpected %s at %s", type(error).__name__, _location(error))
    return Problem(500, "fault", "The service has a fault.", detail="It has been noted.").response()


def _location(error: Exception) -> str:
    frames: list[str] = []
    trace: Any = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-8:]))
