"""Parsing of requests: media types, bodies, the query and the Idempotency-Key."""

from __future__ import annotations

import re
from typing import TypeVar

from flask import Request
from pydantic import BaseModel

from saver.api.body import SMALL_BODY_BYTES, decode, read_body
from saver.api.fields import parse
from saver.api.problems import Problem, invalid
from saver.api.request_schemas import check_text, parse_uuid
from saver.codes import Code
from saver.texts import IdempotentRequest

JSON = "application/json"
PLAIN = "text/plain"

_WHOLE_NUMBER = re.compile("-?[0-9]{1,18}")

Model = TypeVar("Model", bound=BaseModel)


def read_json(request: Request, model: type[Model], max_bytes: int = SMALL_BODY_BYTES) -> Model:
    """Read and parse a body that may only be JSON. Raises Problem."""
    if _media_type(request) != JSON:
        raise _unsupported("", JSON)
    return parse_json(request, model, read_body(request, max_bytes))


def parse_json(request: Request, model: type[Model], body: bytes) -> Model:
    """Parse a JSON body as a model. Raises Problem."""
    _refuse_query(request)
    return parse(model, body)


def parse_plain_text(request: Request, body: bytes) -> str:
    """Decode the text that is the whole body, byte for byte. Raises Problem."""
    try:
        return check_text(_decode_plain(request, body))
    except ValueError as error:
        raise invalid(("/text", str(error))) from None


def parse_plain_code(request: Request, body: bytes) -> Code:
    """Parse the code that is the whole body. Raises Problem and BadCodeError."""
    _refuse_query(request)
    return Code.parse(_decode_plain(request, body))


def parse_expires_in(request: Request) -> int | None:
    """Parse ``?expires_in=`` of a plain write, in seconds. Raises Problem."""
    unknown = [name for name in request.args if name != "expires_in"]
    if unknown:
        raise invalid(("", "expires_in is the only parameter of the query"))
    expires_in = request.args.get("expires_in")
    if expires_in is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(expires_in):
        raise invalid(("/expires_in", "must be a whole number"))
    return int(expires_in)


def parse_idempotency_key(request: Request, body: bytes) -> IdempotentRequest | None:
    """Parse the ``Idempotency-Key`` together with everything the request asks for. Raises Problem."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    try:
        uuid = parse_uuid(key)
    except ValueError as error:
        raise Problem(
            422, "invalid", "The Idempotency-Key is against a rule.", detail=f"It {error}."
        ) from None
    head = f"{_media_type(request)}\n{request.query_string.decode('ascii', 'replace')}\n"
    return IdempotentRequest(uuid, head.encode() + body)


def is_plain(request: Request, meaning: str) -> bool:
    """Whether the body is plain text, which only programs may send; ``meaning`` says what it is then.

    A browser sends text/plain to any host without asking it first (CORS calls it a simple request), so a
    web page could write or guess with the addresses of its visitors. Raises Problem if the body is neither
    plain text nor JSON.
    """
    media_type = _media_type(request)
    if media_type == JSON:
        return False
    if media_type != PLAIN:
        raise _unsupported(f", or {PLAIN} if the body is {meaning}", JSON, PLAIN)
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        raise Problem(415, "media-type", "Browsers send JSON.", detail=f"Content-Type must be {JSON}.")
    return True


def _media_type(request: Request) -> str:
    """The media type of the body without parameters, in lower case; empty if none is given."""
    # Nearly every client sends exactly this, and Werkzeug's parser takes 3 % of a load.
    return JSON if request.environ.get("CONTENT_TYPE") == JSON else request.mimetype


def _decode_plain(request: Request, body: bytes) -> str:
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media-type", "The text is not in UTF-8.", detail="charset must be utf-8.")
    return decode(body)


def _refuse_query(request: Request) -> None:
    if request.query_string:
        # A URL ends up in logs.
        raise invalid(("", "takes nothing from the URL; all fields belong in the body"))


def _unsupported(alternative: str, *accepted: str) -> Problem:
    return Problem(
        415,
        "media-type",
        "Unsupported media type.",
        detail=f"Content-Type must be {JSON}{alternative}.",
        headers={"Accept-Post": ", ".join(accepted)},
    )
