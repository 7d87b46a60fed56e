"""CPACE-X25519-SHA512 (draft-irtf-cfrg-cpace): a key from a short secret that two sides know.

``K`` of the draft is calculated by the X25519 of ``cryptography``; only the generator is calculated
with Python's integers, which do not take constant time (docs/live-transfer.md, "What it is worth").
"""

from __future__ import annotations

from hashlib import sha512

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

SCALAR_BYTES = 32
SHARE_BYTES = 32
_PRIME = 2**255 - 19
# The curve's coefficient: y^2 = x^3 + A x^2 + x.
_A = 486662
_FIELD_BITS = 2**255 - 1
_HASH_BLOCK = 128


class BadShareError(ValueError):
    """A share has the wrong length or is of low order."""

    def __init__(self) -> None:
        super().__init__(f"share: must be {SHARE_BYTES} bytes and not of low order")


def lv_cat(*parts: bytes) -> bytes:
    """Join the parts, each after its length in LEB128."""
    return b"".join(_length(len(part)) + part for part in parts)


def generator(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """Return the generator g, as the draft's calculate_generator."""
    dsi = b"CPace255"
    padding = max(0, _HASH_BLOCK - 1 - len(lv_cat(prs)) - len(lv_cat(dsi)))
    digest = sha512(lv_cat(dsi, prs, bytes(padding), ci, sid)).digest()[:SHARE_BYTES]
    return _elligator2(int.from_bytes(digest, "little") & _FIELD_BITS).to_bytes(SHARE_BYTES, "little")


def multiply(scalar: bytes, point: bytes) -> bytes:
    """Multiply a point by a scalar of SCALAR_BYTES. Raises BadShareError."""
    if len(point) != SHARE_BYTES:
        raise BadShareError
    try:
        # It refuses a result of zero, as RFC 7748 allows.
        product = X25519PrivateKey.from_private_bytes(scalar).exchange(
            X25519PublicKey.from_public_bytes(point)
        )
    except ValueError:
        raise BadShareError from None
    if product == bytes(SHARE_BYTES):
        raise BadShareError
    return product


def session_key(sid: bytes, product: bytes, message_a: bytes, message_b: bytes) -> bytes:
    """Return ISK of the initiator-responder setting, 64 bytes.

    A message is ``lv_cat(share, AD)`` of one side.
    """
    return sha512(lv_cat(b"CPace255_ISK", sid, product) + message_a + message_b).digest()


def _elligator2(number: int) -> int:
    # 2 is not a square, so the denominator is never 0.
    first = -_A * pow(1 + 2 * number * number, -1, _PRIME) % _PRIME
    is_on_curve = pow(first**3 + _A * first**2 + first, (_PRIME - 1) // 2, _PRIME) in {0, 1}
    return first if is_on_curve else (-first - _A) % _PRIME


def _length(number: int) -> bytes:
    octets = []
    while number > 127:
        octets.append(number & 127 | 128)
        number >>= 7
    return bytes([*octets, number])
