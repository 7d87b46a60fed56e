"""The key exchange of a live transfer: from the letters to the keys. docs/live-transfer.md specifies it.

A side is made with ``Maker`` or ``Joiner``, which have the bytes to send; each is used for one
answer only. All randomness is passed in: SESSION_BYTES and SCALAR_BYTES that are used once.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha512
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saver.live_transfer import cpace
from saver.seal import Keys

SESSION_BYTES = 16
TAG_BYTES = 64
Role = Literal["sender", "receiver"]
_OTHER: dict[Role, Role] = {"sender": "receiver", "receiver": "sender"}


class BadTagError(ValueError):
    """The tag of the other side does not fit: its letters, or something that was sent, are not the same."""

    def __init__(self) -> None:
        super().__init__("tag: does not fit")


def other_role(role: Role) -> Role:
    """The role of the other side."""
    return _OTHER[role]


@dataclass(frozen=True, slots=True)
class Secret:
    """What both sides know before the exchange.

    ``service``: the address as docs/live-transfer.md writes it. ``maker_role``: that of the maker.
    """

    letters: str = field(repr=False)
    service: str
    number: int
    maker_role: Role

    def generator(self, session: bytes) -> bytes:
        """The generator for a session."""
        roles = f"{self.maker_role} {_OTHER[self.maker_role]}"
        parts = ("saver/live/1", self.service, str(self.number), roles)
        return cpace.generator(
            self.letters.encode("ascii"), cpace.lv_cat(*(p.encode("ascii") for p in parts)), session
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an exchange yields: the keys of the text, the tag to send and the tag that must come."""

    keys: Keys = field(repr=False)
    tag: bytes
    expected: bytes = field(repr=False)

    def check(self, tag: bytes) -> None:
        """Check the tag of the other side in constant time. Raises BadTagError."""
        if not hmac.compare_digest(tag, self.expected):
            raise BadTagError


@dataclass(frozen=True, slots=True)
class Maker:
    """The side that shows the live code; its offer is ``session`` and ``share``."""

    secret: Secret
    session: bytes
    scalar: bytes = field(repr=False)
    share: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", cpace.multiply(self.scalar, self.secret.generator(self.session)))

    def agree(self, share: bytes) -> Agreement:
        """Calculate what the share of the joiner yields. Raises BadShareError."""
        product = cpace.multiply(self.scalar, share)
        tag_a, tag_b, keys = _derive(self.session, product, self.share, share)
        return Agreement(keys, tag=tag_a, expected=tag_b)


@dataclass(frozen=True, slots=True)
class Joiner:
    """The side whose user types the live code; its answer is ``share`` and the tag of ``agreement``."""

    share: bytes
    agreement: Agreement

    @classmethod
    def answer(cls, secret: Secret, session: bytes, share: bytes, scalar: bytes) -> Joiner:
        """Answer an offer of the maker. Raises BadShareError."""
        own = cpace.multiply(scalar, secret.generator(session))
        product = cpace.multiply(scalar, share)
        tag_a, tag_b, keys = _derive(session, product, share, own)
        return cls(own, Agreement(keys, tag=tag_b, expected=tag_a))


def _derive(session: bytes, product: bytes, share_a: bytes, share_b: bytes) -> tuple[bytes, bytes, Keys]:
    """The tags of the maker and of the joiner, and the keys."""
    message_a, message_b = cpace.lv_cat(share_a, b""), cpace.lv_cat(share_b, b"")
    isk = cpace.session_key(session, product, message_a, message_b)
    mac_key = sha512(b"CPaceMac" + session + isk).digest()
    tag_a, tag_b = (hmac.digest(mac_key, message, "sha512") for message in (message_a, message_b))
    return tag_a, tag_b, Keys(_branch(isk, b"saver/live/1/key"), _branch(isk, b"saver/live/1/proof"))


def _branch(isk: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(isk)
