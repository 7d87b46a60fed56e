"""A database with texts in every state, and a target with empty tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saver.codes import Code
from saver.seal import Seal
from saver.store import StoredText, TextStore
from saver.texts import IdempotentRequest
from tests.conftest import Clock
from tests.support.postgres import Cluster, PostgresDatabase
from tests.support.texts import save

PROOF = bytes(range(32))
JWE = f"{Seal(bytes(16)).protected()}..a.b.c"
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"
HOSTILE = "\ufeff\r\n\\N\\.\t\x01 \u1100\u1161\u11a8 e\u0301 \U0001f600 \\x41 ''"
SECRET = "Pfeffernuss"


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 700) for number in range(500)]


@pytest.fixture
def texts(store: TextStore, clock: Clock) -> dict[str, StoredText]:
    """Store texts in every state; return those that live."""
    live = {
        "open": save(store, HOSTILE, 6_000),
        "sealed": save(store, JWE, 6_000, proof=PROOF),
        "once": save(store, "once", 6_000, once=True),
        "claimed": save(store, "claimed", 6_000, once=True),
        "repeated": save(store, "again", 6_000, idempotency=IdempotentRequest("key", b"request")),
    }
    store.load(live["claimed"].code, claim=CLAIM)
    for _ in range(20):
        save(store, "expires", 60)
    deleted = save(store, "deleted", 600)
    store.delete(deleted.code, deleted.owner_token)
    clock.tick(60)
    store.sweep(10)
    return live


@pytest.fixture
def migrated_target(cluster: Cluster, migrated_on_server: PostgresDatabase) -> Iterator[PostgresDatabase]:
    """A database with empty tables."""
    made = cluster.make(migrated_on_server)
    yield made
    cluster.drop(made)
