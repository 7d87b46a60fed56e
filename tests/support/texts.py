"""Short forms for tests that use the store itself."""

from __future__ import annotations

from saver.at_rest import lease_of
from saver.codes import Code
from saver.store import Quota, StoredText, TextStore
from saver.texts import IdempotentRequest, LifetimePolicy, NewText
from tests.support.snapshot import Database, query

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


def stored_texts(store: TextStore, database: Database) -> list[tuple[str, str]]:
    """The codes and contents of a database or a backup, decrypted with the current key of a store."""
    rows = query(database, "SELECT code, owner_hash, body FROM text")
    return [(str(code), _decrypted(store, str(code), owner_hash, body)) for code, owner_hash, body in rows]


def stored_body(database: Database, code: str) -> bytes:
    """The first bytes of a body as they are stored; encrypted, so that they are nowhere else."""
    [(body,)] = query(database, "SELECT body FROM text WHERE code = ?", code)
    assert isinstance(body, bytes)
    return body[:64]


def _decrypted(store: TextStore, code: str, owner_hash: object, body: object) -> str:
    assert isinstance(owner_hash, bytes)
    assert isinstance(body, bytes)
    # The hash in front of a JWE is no text.
    return store.keyring.current.decrypt(body, lease_of(code, owner_hash)).decode(errors="replace")
