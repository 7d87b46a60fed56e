"""The shapes of requests and answers; OpenAPI is made from the same models."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from saver import seal
from saver.codes import Code

_MOST_PASSWORD_CHARACTERS = 1024
UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_UUID = re.compile(UUID_PATTERN)
_NO_NUL: dict[str, JsonValue] = {"pattern": "^[^\\u0000]*$"}


def _without_nul(given: str) -> str:
    if "\0" in given:
        raise ValueError("must not contain NUL")
    return given


def _code(given: object) -> Code:
    if not isinstance(given, str):
        raise ValueError("must be a string")
    return Code.parse(given)


def _proof(given: object) -> bytes:
    if not isinstance(given, str):
        raise ValueError("must be a string")
    return seal.parse_proof(given)


def parse_uuid(given: object) -> str:
    """A UUID in its usual form, in lower case. Raises ValueError."""
    if not isinstance(given, str) or not _UUID.fullmatch(given):
        raise ValueError("must be a UUID")
    return given.lower()


Text = Annotated[str, Field(min_length=1, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Password = Annotated[
    str,
    Field(min_length=1, max_length=_MOST_PASSWORD_CHARACTERS, json_schema_extra=_NO_NUL),
    AfterValidator(_without_nul),
]
CodeField = Annotated[
    Code,
    PlainValidator(_code),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[a-zA-Z]{4}\s*$", "description": "case matters"}),
]
Lifetime = Annotated[int, Field(description="life in whole seconds", ge=1)]
Proof = Annotated[
    bytes,
    PlainValidator(_proof),
    WithJsonSchema(
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "description": "32 bytes, base64url"}
    ),
]
Claim = Annotated[
    str,
    PlainValidator(parse_uuid),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID_PATTERN}),
]
Token = Annotated[str, Field(min_length=1, max_length=128)]


class Request(BaseModel):
    """A request: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Locked(Request):
    """What locks or opens a text: a password, or the proof of one that stays with the client."""

    password: Password | None = None
    proof: Proof | None = None

    @field_validator("proof")
    @classmethod
    def _not_both(cls, proof: bytes | None, info: ValidationInfo) -> bytes | None:
        if proof is not None and info.data.get("password") is not None:
            raise ValueError("must not come together with a password")
        return proof


class WriteRequest(Locked):
    """A text to keep. With ``proof`` it comes sealed: ``text`` is a JWE (docs/sealed-text.md)."""

    text: Text
    expires_in: Lifetime | None = None
    once: bool = False


class LoadRequest(Locked):
    """Which text to load, what opens it, and who reads it if it is a one-time text."""

    code: CodeField
    claim: Claim | None = None


class AckRequest(Request):
    """Which one-time text has arrived."""

    code: CodeField
    claim: Claim


class OwnerRequest(Request):
    """Which text, by the token that its writer got."""

    code: CodeField
    owner_token: Token


class ExtendRequest(OwnerRequest):
    """How long it is to live from now."""

    expires_in: Lifetime


class Written(BaseModel):
    """A text is kept under this code."""

    code: str
    expires_at: str
    owner_token: str


class TextAnswer(BaseModel):
    """The text; where ``sealed`` it is the JWE."""

    text: str
    expires_at: str
    once: bool
    sealed: bool


class StatusAnswer(BaseModel):
    """The sender's receipt."""

    state: Literal["waiting", "loaded", "read", "deleted", "expired"]
    first_loaded_at: str | None
    refused: int
    expires_at: str


class Extended(BaseModel):
    """When the text expires now."""

    expires_at: str


class FieldError(BaseModel):
    """What is wrong with one field."""

    pointer: str
    detail: str


class SealParameters(BaseModel):
    """How a proof is derived from the password."""

    name: str
    iterations: int
    salt: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None
    seal: SealParameters | None = None


class Lifetimes(BaseModel):
    """In seconds."""

    min: int
    default: int
    max: int
    max_sealed: int


class CodeLimits(BaseModel):
    """How a code looks."""

    length: int
    alphabet: str


class Limits(BaseModel):
    """What a client shows before it asks."""

    max_text_bytes: int
    expires_in: Lifetimes
    code: CodeLimits
    cool_down: int = Field(description="Seconds between the end of a text and its code's return to the pool.")
    contact: str
    terms_url: str
