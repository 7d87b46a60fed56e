"""Parsing of requests: media types, bodies, the query and the Idempotency-Key."""

from __future__ import annotations

import re
from typing import TypeVar

from flask import request
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


def parse_json(model: type[Model], max_bytes: int = SMALL_BODY_BYTES) -> Model:
    """Parse the JSON body as a model. Raises Problem."""
    if request.mimetype != JSON:
        raise _unsupported("", JSON)
    _refuse_query()
    return parse(model, read_body(max_bytes))


def parse_plain_text(max_bytes: int) -> str:
    """Read the text that is the whole body, byte for byte. Raises Problem."""
    try:
        return check_text(_read_plain(max_bytes))
    except ValueError as error:
        raise invalid(("/text", str(error))) from None


def parse_plain_code() -> Code:
    """Parse the code that is the whole body. Raises Problem and BadCodeError."""
    _refuse_query()
    return Code.parse(_read_plain(SMALL_BODY_BYTES))


def parse_expires_in() -> int | None:
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


def parse_idempotency_key(max_bytes: int) -> IdempotentRequest | None:
    """Parse the ``Idempotency-Key`` together with everything the request asks for. Raises Problem."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    try:
        uuid = parse_uuid(key)
    except ValueError as error:
        raise Problem(
            422, "invalid", "The Idempotency-Key is against a rule.", detail=f"It {error}."
        ) from None
    head = f"{request.mimetype}\n{request.query_string.decode('ascii', 'replace')}\n"
    return IdempotentRequest(uuid, head.encode() + read_body(max_bytes))


def is_plain(body: str) -> bool:
    """Whether the body is plain text, which only programs may send; ``body`` says what it means then.

    A browser sends text/plain to any host without asking it first (CORS calls it a simple request), so a
    web page could write or guess with the addresses of its visitors. Raises Problem if the body is neither
    plain text nor JSON.
    """
    if request.mimetype == JSON:
        return False
    if request.mimetype != PLAIN:
        raise _unsupported(f", or {PLAIN} if the body is {body}", JSON, PLAIN)
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        raise Problem(415, "media-type", "Browsers send JSON.", detail=f"Content-Type must be {JSON}.")
    return True


def _read_plain(max_bytes: int) -> str:
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media-type", "The text is not in UTF-8.", detail="charset must be utf-8.")
    return decode(read_body(max_bytes))


def _refuse_query() -> None:
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
