"""The shapes of requests and answers; OpenAPI is made from the same models."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, PlainValidator, WithJsonSchema

from saver.codes import Code

_MOST_PASSWORD_CHARACTERS = 1024
_NO_NUL: dict[str, JsonValue] = {"pattern": "^[^\\u0000]*$"}


def _without_nul(given: str) -> str:
    if "\0" in given:
        raise ValueError("must not contain NUL")
    return given


def _code(given: object) -> Code:
    if not isinstance(given, str):
        raise ValueError("must be a string")
    return Code.parse(given)


Text = Annotated[str, Field(min_length=1, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
Password = Annotated[
    str, Field(min_length=1, max_length=_MOST_PASSWORD_CHARACTERS, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)
]
CodeField = Annotated[
    Code,
    PlainValidator(_code),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[a-zA-Z]{4}\s*$", "description": "case matters"}),
]
Token = Annotated[str, Field(min_length=1, max_length=128)]


class Request(BaseModel):
    """A request: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WriteRequest(Request):
    """A text to keep."""

    text: Text
    expires_in: Annotated[int, Field(description="life in whole seconds", ge=1)] | None = None
    password: Password | None = None


class LoadRequest(Request):
    """Which text to load."""

    code: CodeField
    password: Password | None = None


class DeleteRequest(Request):
    """Which text to delete, by the token that its writer got."""

    code: CodeField
    owner_token: Token


class Written(BaseModel):
    """A text is kept under this code."""

    code: str
    expires_at: str
    owner_token: str


class TextAnswer(BaseModel):
    """The text."""

    text: str
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
