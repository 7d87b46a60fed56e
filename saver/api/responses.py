"""Responses in JSON, made from the models of openapi.json, and in plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Request, Response
from pydantic import BaseModel

from saver.api.parsing import JSON, PLAIN

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_ANY_TYPE = ("", "*/*")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class CompleteResponse(Response):
    """A response whose body and length are known, which is sent as it is.

    Werkzeug would look for a relative ``Location`` and a missing length, and wrap the body to close it.
    """

    def __call__(self, wsgi_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it. Only an answer to HEAD needs Werkzeug: it has no body."""
        if wsgi_environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(wsgi_environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.iter_encoded()


def json_response(model: BaseModel, status: int = 200) -> Response:
    """Respond with a model as compact JSON in UTF-8."""
    return CompleteResponse(model.model_dump_json(), status, content_type=JSON)


def json_document(document: Mapping[str, object], status: int = 200) -> Response:
    """Respond with a document as compact JSON in UTF-8."""
    return CompleteResponse(_encode(document), status, content_type=JSON)


def plain_response(text: str, status: int = 200) -> Response:
    """Respond with plain text, which no browser shows as a page."""
    headers = {"Content-Disposition": "attachment; filename=text.txt"}
    return CompleteResponse(text, status, headers, content_type=f"{PLAIN}; charset=utf-8")


def wants_plain(request: Request, *, default: bool) -> bool:
    """Whether the client prefers plain text; ``default`` if its ``Accept`` header does not say."""
    # These two cover nearly all clients, and parsing the header costs a tenth of a load.
    accept = request.environ.get("HTTP_ACCEPT", "")
    if accept in _ANY_TYPE:
        return default
    if accept == JSON:
        return False
    offered = [PLAIN, JSON] if default else [JSON, PLAIN]
    return request.accept_mimetypes.best_match(offered) == PLAIN


def timestamp(seconds: int) -> str:
    """Format UTC seconds as in RFC 3339."""
    # strftime takes twice as long, and every load has one.
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
