"""What the API does, an entry for each operation: the words and links of its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from saver.api.request_schemas import AckRequest, ExtendRequest, LoadRequest, OwnerRequest, WriteRequest
from saver.api.response_schemas import Extended, Limits, StatusAnswer, TextAnswer, Written

Link = tuple[str, dict[str, object]]  # what it is for, and the body of the request that follows

TAGS = [
    {"name": "texts", "description": "Keep texts, load them, and end them."},
    {"name": "live", "description": "Hand over a text between two computers that are awake (live transfer)."},
    {"name": "service", "description": "What this service allows."},
]
# Why it is no success, and the header that comes with it.
PROBLEMS: Mapping[int, tuple[str, str | None]] = {
    400: ("The body is not JSON, or not UTF-8.", None),
    404: ("No text under this code, or the password is missing or wrong; no meeting that fits.", None),
    405: ("The path does not have this method.", "Allow"),
    408: ("The request arrived too slowly.", None),
    409: ("The same write is under way.", "Retry-After"),
    411: ("The length is missing: a server in front takes no chunked body.", None),
    413: ("The body is too large.", None),
    415: ("The media type is not one of this path, or the body is encoded.", "Accept-Post"),
    422: ("Against a rule; `errors` name the fields.", None),
    429: ("A limit is reached.", "Retry-After"),
    503: ("Not now.", "Retry-After"),
}
_ANY_METHOD = (405,)
WITH_BODY = (400, *_ANY_METHOD, 408, 411, 413, 415, 422, 429, 503)
WITH_CODE = (404, *WITH_BODY)
_OWNER_BODY: dict[str, object] = {
    "code": "$response.body#/code",
    "owner_token": "$response.body#/owner_token",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API.

    ``name`` is the end of its path, and with ``_`` instead of ``/`` its ``operationId``.
    """

    name: str
    summary: str
    description: str
    success: str
    status: int
    problems: tuple[int, ...]
    request: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    tag: str = "texts"
    links: Mapping[str, Link] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method, in lower case."""
        return "post" if self.request else "get"


OPERATIONS = (
    Operation(
        "write",
        "Keep a text",
        "Keeps a text until it expires. With a password the service seals it; with a proof it comes sealed"
        " and `text` is a JWE. As `text/plain`, which is for programs (a browser is answered 415), the"
        " body is the text, `expires_in` may stand in the query, and the answer is the code on a line. With"
        " JSON nothing may stand in the query.",
        "The text is kept.",
        201,
        tuple(sorted((*WITH_BODY, 409))),
        WriteRequest,
        Written,
        links={
            "load": ("Load the text.", {"code": _OWNER_BODY["code"]}),
            "status": ("Ask whether it has been read.", _OWNER_BODY),
            "extend": ("Let it live longer.", _OWNER_BODY),
            "delete": ("End it.", _OWNER_BODY),
        },
    ),
    Operation(
        "load",
        "Give a text",
        "Gives a text, with `Accept: text/plain` the bare text. The body may be the code as `text/plain`,"
        " which is for programs (a browser is answered 415). A one-time text goes to the first claim, and for"
        " 120 seconds only to that one.",
        "The text.",
        200,
        WITH_CODE,
        LoadRequest,
        TextAnswer,
        links={
            "ack": (
                "A one-time text that was loaded with a claim has arrived.",
                {"code": "$request.body#/code", "claim": "$request.body#/claim"},
            )
        },
    ),
    Operation(
        "ack",
        "A one-time text has arrived",
        "The reader has the text, which is then gone. May be sent again.",
        "It is gone.",
        204,
        WITH_CODE,
        AckRequest,
    ),
    Operation(
        "status",
        "The sender's receipt",
        "Tells the writer whether the text has been loaded, until its code is free again.",
        "The receipt.",
        200,
        WITH_CODE,
        OwnerRequest,
        StatusAnswer,
    ),
    Operation(
        "extend",
        "Let a text live longer",
        "The text lives so many seconds from now, and never shorter than it would have.",
        "It lives on.",
        200,
        WITH_CODE,
        ExtendRequest,
        Extended,
    ),
    Operation(
        "delete",
        "End a text",
        "Ends a text before it expires. May be sent again.",
        "It is gone.",
        204,
        WITH_CODE,
        OwnerRequest,
    ),
    Operation(
        "limits",
        "Sizes and lifetimes",
        "What a client shows before it asks: sizes, lifetimes and the look of a code.",
        "The limits.",
        200,
        _ANY_METHOD,
        response=Limits,
        tag="service",
    ),
)
