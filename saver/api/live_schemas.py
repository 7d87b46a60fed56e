"""The models of the requests and answers of live transfers; openapi.json is made from the same models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from saver import seal
from saver.api.request_schemas import CodeField, Request, integral
from saver.api.response_schemas import Timestamp
from saver.meetings import MAX_NUMBER, Role

_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _parser(size: int) -> Callable[[object], bytes]:
    def parse(value: object) -> bytes:
        if not isinstance(value, str):
            raise ValueError("must be a string")
        try:
            data = seal.decode(value)
        except ValueError:
            data = b""
        if len(data) != size:
            raise ValueError(f"must be {size} bytes in base64url without padding")
        return data

    return parse


def _schema(size: int, description: str) -> JsonDict:
    characters = -(-size * 8 // 6)
    # The unused bits of the last character are zero.
    last = _BASE64URL[:: 1 << (characters * 6 - size * 8)]
    pattern = f"^[A-Za-z0-9_-]{{{characters - 1}}}[{last}]$"
    return {"type": "string", "pattern": pattern, "description": f"{size} bytes in base64url: {description}"}


Number = Annotated[int, Field(ge=1, le=MAX_NUMBER), BeforeValidator(integral)]
_SESSION, _SHARE, _TAG = (
    WithJsonSchema(_schema(16, "random, of an offer")),
    WithJsonSchema(_schema(32, "a public X25519 value")),
    WithJsonSchema(_schema(64, "what proves that one has the key")),
)
Token = Annotated[
    bytes,
    PlainValidator(_parser(16)),
    WithJsonSchema(_schema(16, "random, of this client for this meeting")),
]
Session = Annotated[bytes, PlainValidator(_parser(16)), _SESSION]
Share = Annotated[bytes, PlainValidator(_parser(32)), _SHARE]
Tag = Annotated[bytes, PlainValidator(_parser(64)), _TAG]
_Encoded = PlainSerializer(seal.encode, str)


class OpenRequest(Request):
    """Who opens a meeting, and whether that client sends or receives the text."""

    token: Token
    role: Role


class JoinRequest(Request):
    """Which meeting to join."""

    number: Number


class MeetingRequest(JoinRequest):
    """Which meeting, and who asks."""

    token: Token


class OfferRequest(MeetingRequest):
    """The maker begins a session."""

    session: Session
    share: Share


class AnswerRequest(OfferRequest):
    """The joiner answers the offer of a session."""

    tag: Tag


class ConfirmRequest(MeetingRequest):
    """The maker has checked the tag of the joiner, and shows its own."""

    session: Session
    tag: Tag


class DeliverRequest(MeetingRequest):
    """The sender has written the text under this code."""

    code: CodeField


class Opened(BaseModel):
    """A meeting has this number."""

    number: int
    expires_at: Timestamp


class Offered(BaseModel):
    """The offer can be answered."""

    tries_left: int


class Joined(BaseModel):
    """The offer to be answered; ``role`` is that of the joiner."""

    role: Literal["sender", "receiver"]
    session: Annotated[bytes, _Encoded, _SESSION]
    share: Annotated[bytes, _Encoded, _SHARE]
    tries_left: int
    expires_at: Timestamp


class Polled(BaseModel):
    """What has come for this client; the rest is null."""

    state: Literal["waiting", "answered", "confirmed"]
    share: Annotated[
        Annotated[bytes, _Encoded, _SHARE] | None, Field(description="of the joiner, for the maker")
    ]
    tag: Annotated[Annotated[bytes, _Encoded, _TAG] | None, Field(description="of the other side")]
    code: Annotated[str | None, Field(description="of the text, for the receiver")]
