"""Short forms for tests that use the store itself."""

from __future__ import annotations

from saver.codes import Code
from saver.store import Quota, StoredText, TextStore
from saver.texts import IdempotentRequest, LifetimePolicy, NewText

ANY_LIFETIME = LifetimePolicy(1, 600, 1 << 40, 1 << 40)


def save(
    store: TextStore,
    text: str,
    lifetime: int,
    password: str | None = None,
    *,
    proof: bytes | None = None,
    once: bool = False,
    quota: Quota | None = None,
    idempotency: IdempotentRequest | None = None,
) -> StoredText:
    """Store a text."""
    return store.save(NewText(text, lifetime, password, proof, once, idempotency), quota)


def extend(store: TextStore, code: Code, owner_token: str, lifetime: int) -> int:
    """Extend a text to any lifetime."""
    return store.extend(code, owner_token, lifetime, ANY_LIFETIME)
