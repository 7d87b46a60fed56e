"""The models of requests; openapi.json is made from the same models."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.config import JsonDict

from saver import seal
from saver.codes import Code

_MAX_PASSWORD_CHARACTERS = 1024
UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_UUID = re.compile(UUID_PATTERN)
_NO_NUL: dict[str, JsonValue] = {"pattern": "^[^\\u0000]*$"}
_STRING: JsonDict = {"type": "string"}
_NOT_BOTH: JsonDict = {
    "not": {"properties": {"password": _STRING, "proof": _STRING}, "required": ["password", "proof"]}
}
# What 32 bytes come out as: of the last character two bits stand for nothing and are zero.
_PROOF_PATTERN = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain NUL")
    return value


def check_text(value: str) -> str:
    """Return a text that may be stored. Raises ValueError if it is empty or has a NUL."""
    if not value:
        raise ValueError("must not be empty")
    return _without_nul(value)


def _parse_code(value: object) -> Code:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return Code.parse(value)


def _parse_proof(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return seal.parse_proof(value)


def integral(value: object) -> object:
    """A number that is whole as an int, and every other value as it is."""
    # JSON has one kind of number: 3600.0 and 36e2 are integers too.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse_uuid(value: object) -> str:
    """A UUID in its usual form, in lower case. Raises ValueError."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return value.lower()


# Pydantic refuses lone surrogates because of the length.
Text = Annotated[str, Field(min_length=1, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Password = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_MAX_PASSWORD_CHARACTERS,
        description="compared in Unicode form NFC, otherwise exactly; not together with a proof",
        json_schema_extra=_NO_NUL,
    ),
    AfterValidator(_without_nul),
]
CODE_SCHEMA: JsonDict = {
    "type": "string",
    "pattern": r"^\s*[a-zA-Z]{4}\s*$",
    "description": "four letters; case matters, white space around them does not",
}
CodeField = Annotated[Code, PlainValidator(_parse_code), WithJsonSchema(CODE_SCHEMA)]
Lifetime = Annotated[int, Field(ge=1), BeforeValidator(integral)]
Proof = Annotated[
    bytes,
    PlainValidator(_parse_proof),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _PROOF_PATTERN,
            "description": "32 bytes in base64url that are derived from the password, instead of it",
        }
    ),
]
Claim = Annotated[
    str,
    PlainValidator(parse_uuid),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uuid",
            "pattern": UUID_PATTERN,
            "description": "a UUID that the reader of a one-time text has made",
        }
    ),
]
Token = Annotated[
    str, Field(min_length=1, max_length=128, description="the `owner_token` that the writer got")
]


class Request(BaseModel):
    """A request: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PasswordRequest(Request):
    """What locks or opens a text: a password, or the proof of one that stays with the client."""

    model_config = ConfigDict(json_schema_extra=_NOT_BOTH)

    password: Password | None = None
    proof: Proof | None = None

    @field_validator("proof")
    @classmethod
    def _refuse_both(cls, proof: bytes | None, info: ValidationInfo) -> bytes | None:
        if proof is not None and info.data.get("password") is not None:
            raise ValueError("must not come together with a password")
        return proof


class WriteRequest(PasswordRequest):
    """A text to keep. With ``proof`` it comes sealed: ``text`` is a JWE (docs/sealed-text.md)."""

    text: Text
    expires_in: Lifetime | None = None
    once: Annotated[bool, Field(description="one reader only")] = False


class LoadRequest(PasswordRequest):
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
