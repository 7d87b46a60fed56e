"""The models of responses; openapi.json is made from the same models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Timestamp = Annotated[str, Field(description="in UTC", json_schema_extra={"format": "date-time"})]


class Written(BaseModel):
    """A text is kept under this code."""

    code: Annotated[str, Field(pattern="^[a-zA-Z]{4}$")]
    expires_at: Timestamp
    owner_token: Annotated[str, Field(description="lets its holder ask for the status, extend and delete")]


class TextAnswer(BaseModel):
    """The text; where ``sealed`` it is the JWE."""

    text: str
    expires_at: Timestamp
    once: Annotated[bool, Field(description="the text is gone once its claim is acknowledged")]
    sealed: Annotated[bool, Field(description="`text` is a JWE, to be opened by the client")]


class StatusAnswer(BaseModel):
    """The sender's receipt."""

    state: Literal["waiting", "loaded", "read", "deleted", "expired"]
    first_loaded_at: Timestamp | None
    refused: Annotated[int, Field(description="tries with a wrong password")]
    expires_at: Timestamp


class Extended(BaseModel):
    """When the text expires now."""

    expires_at: Timestamp


class FieldError(BaseModel):
    """What is wrong with one field."""

    pointer: Annotated[str, Field(description="JSON pointer (RFC 6901); empty for the whole body")]
    detail: Annotated[str, Field(description="the rule")]


class SealParameters(BaseModel):
    """How a proof is derived from the password."""

    name: str
    iterations: int
    salt: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: Annotated[str, Field(description="`urn:saver:problem:` and the name of the problem")]
    title: str
    status: int
    detail: str | None = None
    errors: Annotated[list[FieldError] | None, Field(description="with 413 and 422")] = None
    seal: Annotated[SealParameters | None, Field(description="with 404 `no-text`")] = None


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


class LiveLimits(BaseModel):
    """Of live transfers: how long a meeting lives, in seconds, and how many answers it can have."""

    expires_in: int
    tries: int


class Limits(BaseModel):
    """What a client shows before it asks."""

    max_text_bytes: int
    expires_in: Lifetimes
    code: CodeLimits
    cool_down: int = Field(description="Seconds between the end of a text and its code's return to the pool.")
    live: LiveLimits
    contact: str
    terms_url: str
    expected_stranger_hits_per_day: float | None = Field(
        None,
        ge=0,
        description="How many texts without a password today's misses of all clients find on average, with"
        " two significant digits; fewer than 100 such texts count as 100. Left out if it is not known.",
    )
    guess_chance_today: float | None = Field(
        None,
        ge=0,
        description="The chance that one given text without a password is found by today's misses of all"
        " clients, with two significant digits; a day begins at midnight UTC. Left out if it is not known.",
    )
