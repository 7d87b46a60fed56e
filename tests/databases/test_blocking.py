"""What waits for a disk, another process or another machine says so first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from saver.blocking import call_before_blocking
from saver.key_deriver import KeyDeriver
from saver.seal import Seal
from saver.store import TextStore
from tests.conftest import NOW
from tests.support.counters import A_MINUTE, counters_in
from tests.support.redis_server import RedisServer
from tests.support.texts import save

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Gets an entry each time that this thread is about to wait."""
    entries: list[str] = []
    call_before_blocking(lambda: entries.append("waits"))
    yield entries
    call_before_blocking(lambda: None)


@pytest.fixture
def store(make_app: Callable[..., Flask]) -> TextStore:
    result: TextStore = make_app().extensions["saver"].store
    return result


def test_a_write_says_so(store: TextStore, codes: list[str], said: list[str]) -> None:
    save(store, "text", 60)
    assert said


@pytest.mark.databases("postgresql")
def test_a_load_from_a_server_says_so(store: TextStore, codes: list[str], said: list[str]) -> None:
    code = save(store, "text", 60).code
    said.clear()
    store.load(code)
    assert said


@pytest.mark.databases("sqlite")
def test_a_load_from_a_file_waits_only_to_note_the_first(
    store: TextStore, codes: list[str], said: list[str]
) -> None:
    code = save(store, "text", 60).code
    said.clear()
    store.load(code)
    assert said
    said.clear()
    store.load(code)
    assert not said


@pytest.mark.databases("sqlite")
def test_a_count_in_redis_says_so(redis_server: RedisServer, said: list[str]) -> None:
    counters = counters_in(redis_server)
    charged = counters.charge(A_MINUTE, NOW)
    assert said
    said.clear()
    counters.refund(charged, NOW)
    assert said


@pytest.mark.databases("sqlite")
def test_the_derivation_of_a_key_says_so(said: list[str]) -> None:
    KeyDeriver(1).derive("password", Seal(bytes(16)))
    assert said
