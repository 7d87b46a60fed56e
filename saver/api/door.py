"""The door: what a request must be before anybody looks inside it, and how answers are made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeVar

from flask import Response, request
from pydantic import BaseModel

from saver.api.body import SMALL_BODY_BYTES, decode, read_body
from saver.api.fields import parse
from saver.api.problems import Problem, invalid
from saver.api.schemas import parse_uuid
from saver.codes import Code
from saver.store import IdempotentRequest

JSON = "application/json"
PLAIN = "text/plain"
_ANYTHING = ("", "*/*")

_WHOLE_NUMBER = re.compile("-?[0-9]{1,18}")

# Half the bytes for most of the world's texts.
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], max_bytes: int = SMALL_BODY_BYTES) -> Model:
    """The JSON body as a model. Raises Problem."""
    if request.mimetype != JSON:
        raise _unsupported("", JSON)
    _refuse_query()
    return parse(model, read_body(max_bytes))


def read_plain(max_bytes: int) -> str:
    """The bare text of the body, byte for byte. Raises Problem."""
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "media-type", "The text is not in UTF-8.", detail="charset must be utf-8.")
    return decode(read_body(max_bytes))


def read_plain_code() -> Code:
    """The code that is all of the body. Raises Problem and BadCodeError."""
    _refuse_query()
    return Code.parse(read_plain(SMALL_BODY_BYTES))


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


def read_idempotency_key(max_bytes: int) -> IdempotentRequest | None:
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
    return IdempotentRequest(known, asked.encode() + read_body(max_bytes))


def wants_plain(*, otherwise: bool) -> bool:
    """Whether the caller asks for the bare text; ``otherwise`` is for those who do not say."""
    # Nearly everybody says one of these; to weigh what they say costs a tenth of a load.
    accept = request.headers.get("Accept", "")
    if accept in _ANYTHING:
        return otherwise
    if accept == JSON:
        return False
    offered = [PLAIN, JSON] if otherwise else [JSON, PLAIN]
    return request.accept_mimetypes.best_match(offered) == PLAIN


def is_plain(body: str) -> bool:
    """Whether the body is plain text, which only programs may send; ``body`` says what it is then.

    A browser sends text/plain to any host without asking it first (CORS calls
    it a simple request), so a web page could write or guess with its visitors' addresses.
    Raises Problem for what is neither plain text nor JSON.
    """
    if request.mimetype == JSON:
        return False
    if request.mimetype != PLAIN:
        raise _unsupported(f", or {PLAIN} if the body is {body}", JSON, PLAIN)
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        raise Problem(415, "media-type", "Browsers send JSON.", detail=f"Content-Type must be {JSON}.")
    return True


def json_answer(document: Mapping[str, object], status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(_dumps(document), status, content_type=JSON)


def plain_answer(text: str, status: int = 200) -> Response:
    """An answer in plain text, which no browser will show as a page."""
    headers = {"Content-Disposition": "attachment; filename=text.txt"}
    return Response(text, status, headers, content_type=f"{PLAIN}; charset=utf-8")


def _refuse_query() -> None:
    if request.query_string:
        # What stands in a URL ends up in logs.
        raise invalid(("", "takes nothing from the URL; all fields belong in the body"))


def _unsupported(alternative: str, *accepted: str) -> Problem:
    return Problem(
        415,
        "media-type",
        "Unsupported media type.",
        detail=f"Content-Type must be {JSON}{alternative}.",
        headers={"Accept-Post": ", ".join(accepted)},
    )
