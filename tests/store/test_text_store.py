"""The store returns exactly the text that was saved, until its last second and not longer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, event
from sqlalchemy.dialects import sqlite

from saver import create_app, seal
from saver.app import Services
from saver.codes import Code
from saver.database import StorageError
from saver.store import NoTextError, PoolEmptyError, TextStore, owner, reading
from tests.conftest import ALL_DATABASES, NOW, Clock, settings_in
from tests.support.snapshot import Database, everything_stored, query
from tests.support.texts import save, stored_body, stored_texts

DATABASES = ALL_DATABASES

DAY = 86_400


def test_a_saved_text_is_loaded_until_its_last_second(store: TextStore, clock: Clock) -> None:
    lease = save(store, "hello", 600)
    assert lease.expires_at == NOW + 600
    clock.now = NOW + 599.999
    assert store.load(lease.code).text == "hello"
    clock.now = NOW + 600
    with pytest.raises(NoTextError):
        store.load(lease.code)


def test_a_life_is_never_shorter_than_asked_for(store: TextStore, clock: Clock) -> None:
    clock.now = NOW + 0.7
    assert save(store, "hello", 600).expires_at == NOW + 601


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200),
)
def test_text_out_is_text_in(store: TextStore, clock: Clock, text: str) -> None:
    lease = save(store, text, 60)
    assert store.load(lease.code).text == text
    clock.tick(60 + DAY)
    store.sweep(10)
    store.sweep(10)


@pytest.mark.parametrize(
    "text", ["a\r\nb\rc\n", "\ufeffbom", "e\u0301 nfd", "👩‍👩‍👧 \u202eright", " ", "0", "x" * 1_048_576]
)
@pytest.mark.parametrize("password", [None, "pässword"])
def test_awkward_texts_come_back_byte_for_byte(store: TextStore, text: str, password: str | None) -> None:
    lease = save(store, text, 60, password)
    assert store.load(lease.code, password).text.encode() == text.encode()


def test_a_sealed_text_needs_its_password(store: TextStore) -> None:
    code = save(store, "secret", 60, "right").code
    for wrong in (None, "wrong", "right ", "Right", ""):
        with pytest.raises(NoTextError):
            store.load(code, wrong)
    assert store.load(code, "right").text == "secret"


def test_a_password_means_the_same_in_every_normal_form(store: TextStore) -> None:
    code = save(store, "secret", 60, "caf\u00e9").code
    assert store.load(code, "cafe\u0301").text == "secret"


def test_a_password_does_no_harm_to_an_open_text(store: TextStore) -> None:
    assert store.load(save(store, "open", 60).code, "needless").text == "open"


def test_nothing_of_a_sealed_text_is_readable_in_the_database(store: TextStore, database: Database) -> None:
    lease = save(store, "CANARY-TEXT", 60, "CANARY-PASSWORD")
    # Also for somebody who has the secret key.
    [(_, content)] = stored_texts(store, database)
    stored = everything_stored(database) + content.encode()
    for canary in (b"CANARY-TEXT", b"CANARY-PASSWORD", lease.owner_token.encode()):
        assert canary not in stored
    assert lease.code.encode() in stored


@pytest.mark.databases("sqlite")
def test_a_wiped_text_is_overwritten_in_the_file(store: TextStore, services: Services, clock: Clock) -> None:
    database = services.settings.data_dir / "saver.db"
    body = stored_body(database, save(store, "text" * 300, 60).code)
    store.checkpoint()
    assert body in database.read_bytes()
    clock.tick(60)
    store.sweep(10)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert body not in database.read_bytes()


def test_the_404_of_a_code_has_a_seal_that_stays_the_same(store: TextStore) -> None:
    def seal_of(code: Code) -> seal.Seal:
        with pytest.raises(NoTextError) as missed:
            store.load(code)
        return missed.value.seal

    never = Code("qqqq")
    assert seal_of(never) == seal_of(never)
    assert seal_of(never) != seal_of(Code("qqqr"))
    sealed = save(store, "secret", 60, "right").code
    real = seal_of(sealed)
    assert real == seal_of(sealed)
    decoy = seal_of(never)
    assert (real.name, real.iterations, len(real.salt)) == (decoy.name, decoy.iterations, len(decoy.salt))


def test_an_empty_pool_refuses_and_loses_nothing(store: TextStore, codes: list[str]) -> None:
    texts = {save(store, f"text {number}", 60).code: f"text {number}" for number in range(len(codes))}
    with pytest.raises(PoolEmptyError):
        save(store, "one too many", 60)
    assert set(texts) == set(codes)
    assert all(store.load(code).text == text for code, text in texts.items())


def test_a_code_rests_before_it_is_leased_again(store: TextStore, clock: Clock, codes: list[str]) -> None:
    for _ in codes:
        save(store, "text", 60)
    clock.tick(60 + DAY - 1)
    store.sweep(10)
    with pytest.raises(PoolEmptyError):
        save(store, "too early", 60)
    clock.tick(1)
    assert store.sweep(10).freed == len(codes)
    assert store.audit().free == len(codes)
    save(store, "in time", 60)


def test_delete_ends_a_text_and_its_code_cools_down(store: TextStore, clock: Clock) -> None:
    lease = save(store, "text", 600)
    store.delete(lease.code, lease.owner_token)
    with pytest.raises(NoTextError):
        store.load(lease.code)
    store.delete(lease.code, lease.owner_token)
    clock.tick(DAY - 1)
    assert store.sweep(10).freed == 0
    clock.tick(1)
    assert store.sweep(10).freed == 1


@pytest.mark.parametrize("token", ["", "wrong", "A" * 22])
def test_delete_needs_the_owner_token(store: TextStore, token: str) -> None:
    lease = save(store, "text", 600)
    with pytest.raises(NoTextError):
        store.delete(lease.code, token)
    assert store.load(lease.code).text == "text"


def test_deleting_a_text_twice_does_not_prolong_its_rest(store: TextStore, clock: Clock) -> None:
    lease = save(store, "text", 600)
    store.delete(lease.code, lease.owner_token)
    clock.tick(DAY / 2)
    store.delete(lease.code, lease.owner_token)
    clock.tick(DAY / 2)
    assert store.sweep(10).freed == 1


def test_a_sweep_wipes_only_what_has_expired(store: TextStore, clock: Clock) -> None:
    short, long = save(store, "short", 60), save(store, "long", 3_600)
    clock.tick(60)
    swept = store.sweep(10)
    assert (swept.wiped, swept.freed, swept.more) == (1, 0, False)
    assert store.load(long.code).text == "long"
    with pytest.raises(NoTextError):
        store.load(short.code)


def test_a_sweep_says_when_there_is_more(store: TextStore, clock: Clock) -> None:
    for _ in range(3):
        save(store, "text", 60)
    clock.tick(60)
    assert store.sweep(2).more
    assert not store.sweep(2).more


def test_the_operator_can_remove_a_text(store: TextStore) -> None:
    code = save(store, "text", 600).code
    assert store.remove(code)
    assert not store.remove(code)
    with pytest.raises(NoTextError):
        store.load(code)


@pytest.mark.databases("sqlite")
def test_a_save_that_cannot_be_committed_is_not_acknowledged(store: TextStore, services: Services) -> None:
    database = services.settings.data_dir / "saver.db"
    blocker = sqlite3.connect(database)
    blocker.execute("PRAGMA busy_timeout = 1")
    engine = store.database.engine

    @event.listens_for(engine, "commit")
    def fail(_connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises((StorageError, sqlite3.OperationalError)):
        save(store, "text", 60)
    event.remove(engine, "commit", fail)
    assert blocker.execute("SELECT count(*) FROM text").fetchone() == (0,)
    blocker.close()
    save(store, "text", 60)


@pytest.mark.databases("sqlite")
def test_writes_wait_for_the_disk(store: TextStore) -> None:
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_codes_are_drawn_by_the_systems_csprng_outside_of_tests(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    services = create_app(settings_in(tmp_path / "other")).extensions["saver"]
    assert type(services.store.random) is SystemRandom


def test_a_deleted_code_rests_no_moment_less(store: TextStore, clock: Clock) -> None:
    clock.now = NOW + 0.9
    lease = save(store, "text", 600)
    store.delete(lease.code, lease.owner_token)
    clock.now = NOW + 0.5 + DAY
    assert store.sweep(10).freed == 0
    clock.now = NOW + 1 + DAY
    assert store.sweep(10).freed == 1


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "statement", [owner.FIND_OWNED, reading.FIND_CLAIMED, reading.FIND_LIVE], ids=["own", "ack", "load"]
)
def test_no_look_up_reads_a_body_to_say_that_there_is_one(database: Path, statement: Select[Any]) -> None:
    compiled = statement.compile(dialect=sqlite.dialect())
    names = [str(name) for _, name, *_ in query(database, "PRAGMA table_info(text)")]
    steps = query(database, f"EXPLAIN {compiled}", *("x" for _ in compiled.positiontup or ()))
    reads = [step for step in steps if step[1] == "Column" and step[3] == names.index("body")]
    # OPFLAG_TYPEOFARG: only the type of the value is read, which is in the row's header.
    whole = [step for step in reads if not int(str(step[6])) & 0x80]
    assert reads
    # Only a load of a text without a password reads the body.
    assert len(whole) == (statement is reading.FIND_LIVE)
