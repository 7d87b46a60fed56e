"""A new text and the rules for its lifetime, as plain values that the layers hand down."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


class InvalidTextError(ValueError):
    """A text breaks a rule. The message is the rule and never repeats the text; ``field`` names its field."""

    def __init__(self, rule: str, field: str = "text") -> None:
        super().__init__(rule)
        self.field = field


class TextTooLargeError(Exception):
    """A text has more than ``max_bytes`` bytes of UTF-8."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__("text too large")
        self.max_bytes = max_bytes


class InvalidLifetimeError(ValueError):
    """A lifetime is out of bounds. The message is the rule."""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A write that may be repeated: its idempotency key, and the bytes of the request."""

    key: str
    request: bytes

    @property
    def request_hash(self) -> bytes:
        """The hash of the request, keyed by ``key``. The key is not stored, so nobody can guess passwords."""
        return hmac.digest(self.key.encode(), self.request, "sha256")


@dataclass(frozen=True, slots=True)
class NewText:
    """A text to be stored, with everything that its writer asked for.

    ``lifetime`` is in seconds; None means the default. With ``password`` the store encrypts the text. With
    ``proof`` (32 bytes) the client has encrypted it, and ``text`` is a JWE.
    """

    text: str
    lifetime: int | None = None
    password: str | None = None
    proof: bytes | None = None
    once: bool = False
    idempotency: IdempotentRequest | None = None

    @property
    def is_sealed(self) -> bool:
        """Whether it is stored encrypted."""
        return self.password is not None or self.proof is not None


@dataclass(frozen=True, slots=True)
class LifetimePolicy:
    """The allowed lifetimes, in seconds; ``max_sealed`` is the maximum of an encrypted text."""

    min: int
    default: int
    max: int
    max_sealed: int

    def lifetime(self, wanted: int | None, *, sealed: bool) -> int:
        """Return the lifetime of a text in seconds. Raises InvalidLifetimeError if it is out of bounds."""
        if wanted is None:
            return self.default
        if self.min <= wanted <= (self.max_sealed if sealed else self.max):
            return wanted
        raise InvalidLifetimeError(
            f"must be {self.min} to {self.max} seconds, with a password to {self.max_sealed}"
        )
