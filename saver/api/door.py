"""The door: what a body must be before anybody looks inside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeVar

from flask import Response, request
from pydantic import BaseModel, ValidationError

from saver.api.problems import Problem, invalid, pointer
from saver.api.schemas import parse_uuid
from saver.leases import Repeatable

JSON = "application/json"
PLAIN = "text/plain"
_NOT_PLAIN = ("", "*/*", JSON)

_MOST_DIGITS = 4_000
_WHOLE_NUMBER = re.compile("-?[0-9]{1,18}")
_SURROGATE = re.compile("[\ud800-\udfff]")

# Half the bytes for most of the world's texts.
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model]) -> Model:
    """The JSON body as a model. Raises Problem or pydantic's ValidationError."""
    if request.mimetype != JSON:
        raise _unsupported(JSON)
    if request.query_string:
        # What stands in a URL ends up in logs.
        raise invalid(("", "takes nothing from the URL; all fields belong in the body"))
    body = _body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid" and (broken := _broken_rule(body)):
            raise invalid(broken) from None
        raise


def read_expires_in() -> int | None:
    """``?expires_in=`` of a plain write. Raises Problem."""
    unknown = [name for name in request.args if name != "expires_in"]
    if unknown:
        raise invalid(("", "expires_in is the only parameter of the query"))
    given = request.args.get("expires_in")
    if given is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(given):
        raise invalid(("/expires_in", "must be a whole number"))
    return int(given)


def read_idempotency_key() -> Repeatable | None:
    """What makes a write repeatable: its ``Idempotency-Key`` and all that it asks for. Raises Problem."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    try:
        known = parse_uuid(key)
    except ValueError as error:
        raise Problem(
            422, "invalid", "The Idempotency-Key is against a rule.", detail=f"It {error}."
        ) from None
    asked = f"{request.mimetype}\n{request.query_string.decode('ascii', 'replace')}\n"
    return Repeatable(known, asked.encode() + _body())


def wants_plain() -> bool:
    """Whether the caller asks for the bare text."""
    # Nearly everybody says one of these; to weigh what they say costs a tenth of a load.
    if request.headers.get("Accept", "") in _NOT_PLAIN:
        return False
    return request.accept_mimetypes.best_match([JSON, PLAIN]) == PLAIN


def is_plain() -> bool:
    """Whether the body is a bare text, which only programs may send.

    A browser sends text/plain to any host without asking it first (CORS calls
    it a simple request), so a web page could write with its visitors' addresses.
    """
    if request.mimetype != PLAIN:
        return False
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        raise Problem(415, "media-type", "Browsers send JSON.", detail=f"Content-Type must be {JSON}.")
    return True


def read_plain() -> str:
    """The bare text of the body, byte for byte. Raises Problem."""
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media-type", "The text is not in UTF-8.", detail="charset must be utf-8.")
    try:
        return _body().decode()
    except UnicodeDecodeError:
        raise Problem(400, "not-utf-8", "The text is not in UTF-8.") from None


def json_answer(document: Mapping[str, object], status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(_dumps(document), status, content_type=JSON)


def plain_answer(text: str, status: int = 200) -> Response:
    """An answer in plain text, which no browser will show as a page."""
    headers = {"Content-Disposition": "attachment; filename=text.txt"}
    return Response(text, status, headers, content_type=f"{PLAIN}; charset=utf-8")


def _body() -> bytes:
    # Without a length the server cuts an overlong body instead of refusing it.
    if request.content_length is None:
        raise Problem(411, "length", "The length is missing.", detail="Send a Content-Length.")
    return request.get_data()


def _broken_rule(body: bytes) -> tuple[str, str] | None:
    """What keeps the parser from JSON that is JSON after all: (pointer, rule)."""
    try:
        fields = json.loads(body, parse_int=lambda digits: digits if len(digits) > _MOST_DIGITS else 0)
    except (ValueError, RecursionError):
        return None
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(value, str) and _SURROGATE.search(value):
            return pointer([name]), "must not contain lone surrogates"
        if isinstance(value, str) and len(value) > _MOST_DIGITS and value.lstrip("-").isdecimal():
            return pointer([name]), "is out of range"
    return None


def _unsupported(*wanted: str) -> Problem:
    return Problem(
        415, "media-type", "Unsupported media type.", detail=f"Content-Type must be {' or '.join(wanted)}."
    )
