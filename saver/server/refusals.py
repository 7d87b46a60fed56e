"""The responses to requests that never reach the app. They repeat nothing of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.asgi import parser

from saver.api.body import incomplete
from saver.api.headers import HeaderMiddleware
from saver.api.problems import Problem

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# Instead of 400 if the header is valid and the body is not.
INCOMPLETE = "incomplete"
_DETAILS = {
    400: ("Bad Request.", "This is not an HTTP/1.1 request, or it ended before its length."),
    408: ("Request Timeout.", "The request came too slowly, or it stopped."),
    413: ("Content Too Large.", "The body is longer than any request needs."),
    414: ("URI Too Long.", "The address of the request is too long."),
    417: ("Expectation Failed.", "Expect may be 100-continue only."),
    431: ("Request Header Fields Too Large.", "The headers are too long or too many."),
    500: ("The service has a fault.", "It has been noted."),
    501: ("Not Implemented.", "Transfer-Encoding may be chunked only."),
    503: ("Service Unavailable.", "Too much is under way. Try again in a moment."),
    505: ("HTTP Version Not Supported.", "The service speaks HTTP/1.1."),
}
_STATUS = {
    parser.LimitRequestLine: 414,
    parser.LimitRequestHeaders: 431,
    parser.UnsupportedTransferCoding: 501,
    parser.InvalidHTTPVersion: 505,
}


class RefusedError(Exception):
    """A request is refused before it has arrived."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def status_of(error: Exception) -> int:
    """The HTTP status for an error of the parser."""
    return error.status if isinstance(error, RefusedError) else _STATUS.get(type(error), 400)


def refusals() -> dict[int | str, WSGIApplication]:
    """A response for each status and for INCOMPLETE, with the headers that the app adds to its responses."""
    problems: dict[int | str, Problem] = {status: _problem(status) for status in _DETAILS}
    problems[INCOMPLETE] = incomplete()
    return {reason: HeaderMiddleware(problem.response()) for reason, problem in problems.items()}


def _problem(status: int) -> Problem:
    title, detail = _DETAILS[status]
    return Problem(status, f"http-{status}", title, detail=detail, retry_after=1 if status == 503 else None)
