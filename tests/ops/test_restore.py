"""`flask --app saver restore`: the texts of the backup, and nothing that is gone since; no code too early."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from saver.ops import OperationError
from tests.conftest import NOW, Clock
from tests.support.restoring import CLAIM, LONGEST, REST, House
from tests.support.snapshot import ask, snapshot
from tests.support.texts import extend, save


@pytest.fixture
def house(make_app: Callable[..., Flask], clock: Clock, tmp_path: Path) -> House:
    return House(make_app, clock, tmp_path, "data")


def test_a_text_that_lives_is_there_again_and_an_expired_one_is_wiped(house: House) -> None:
    long, short = save(house.store, "long", 6_000), save(house.store, "short", 600)
    backup = house.backup()
    house.clock.tick(600)
    restored = house.restore(backup)
    assert (house.reads(long.code), house.reads(short.code)) == ("long", None)
    assert ask(house.database, "SELECT body FROM text WHERE code = ?", short.code) == [(None,)]
    assert (restored.audit.live, restored.audit.cooling_down, restored.merged) == (1, 1, 0)
    assert house.lease_all() == set(snapshot(backup).free)


def test_codes_that_were_leased_since_rest_as_long_as_they_would_have(house: House) -> None:
    backup = house.backup()
    since = save(house.store, "since", 6_000)
    assert house.restore(backup).merged == 1
    assert house.reads(since.code) is None
    assert house.store.status(since.code, since.owner_token).state == "deleted"
    assert since.code not in house.lease_all()
    house.clock.tick(6_000 + REST - 1)
    house.sweep()
    assert since.code not in house.lease_all()
    house.clock.tick(1)
    house.sweep()
    assert since.code in house.lease_all()


def test_what_was_deleted_or_read_once_since_stays_gone(house: House) -> None:
    deleted = save(house.store, "deleted", 6_000)
    once = save(house.store, "once", 6_000, once=True)
    claimed = save(house.store, "claimed", 6_000, once=True)
    backup = house.backup()
    house.store.delete(deleted.code, deleted.owner_token)
    assert house.reads(once.code) == "once"
    assert house.reads(claimed.code, claim=CLAIM) == "claimed"
    house.restore(backup)
    assert house.reads(deleted.code) is None
    assert house.reads(once.code) is None
    # Its reader may ask again, as before, and nobody else.
    assert house.reads(claimed.code) is None
    assert house.reads(claimed.code, claim=CLAIM) == "claimed"
    assert ask(house.database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(1,)]


def test_a_text_that_was_extended_lives_as_long_as_its_owner_was_told(house: House) -> None:
    lease = save(house.store, "x", 600)
    backup = house.backup()
    until = extend(house.store, lease.code, lease.owner_token, 6_000)
    house.restore(backup)
    house.clock.now = until - 1
    assert house.reads(lease.code) == "x"
    house.clock.now = until + REST - 1
    house.sweep()
    assert lease.code not in house.lease_all()


def test_a_code_that_went_round_since_belongs_to_its_new_lease(house: House) -> None:
    first = save(house.store, "first", 60)
    backup = house.backup()
    house.clock.tick(60 + REST)
    house.sweep()
    taken = house.lease_all()
    assert first.code in taken
    house.restore(backup)
    assert [house.reads(code) for code in taken] == [None] * 4
    house.clock.tick(60 + REST - 1)
    house.sweep()
    assert house.lease_all() == set()
    house.clock.tick(1)
    house.sweep()
    assert house.lease_all() == taken


def test_the_database_so_far_is_kept_and_can_be_restored_in_its_turn(house: House) -> None:
    backup = house.backup()
    code = save(house.store, "since", 6_000).code
    kept = house.restore(backup).old_database
    assert kept
    assert ask(kept, "SELECT code, body FROM text") == [(code, "since")]
    assert snapshot(backup).leased == []
    assert stat.S_IMODE(house.database.stat().st_mode) == 0o600
    assert not list(house.database.parent.glob("*restoring*"))
    assert save(house.store, "goes on", 60).code != code


class TestLost:
    """The database in use so far is not there: any code may have been leased until a moment ago."""

    def test_it_is_not_done_unasked(self, house: House) -> None:
        backup = house.backup()
        house.lose()
        with pytest.raises(OperationError, match=f"not there.*--lost.*{LONGEST + REST:,} seconds"):
            house.restore(backup)
        assert not house.database.exists() or not house.database.stat().st_size

    def test_no_code_is_leased_before_the_last_possible_lease_has_rested(self, house: House) -> None:
        lease = save(house.store, "kept", 6_000)
        backup = house.backup()
        house.lose()
        restored = house.restore(backup, lost=True)
        until = NOW + LONGEST + REST
        assert (restored.quarantined_until, restored.audit.free, restored.audit.missing) == (
            until,
            0,
            restored.audit.pool_size - 4,
        )
        assert house.reads(lease.code) == "kept"
        for now in (NOW, NOW + 6_000 + REST, until - 1):
            house.clock.now = now
            house.sweep()
            assert house.lease_all() == set()
        house.clock.now = until
        house.sweep()
        assert len(house.lease_all()) == 4

    def test_the_operator_may_know_better_how_long_texts_lived(self, house: House) -> None:
        backup = house.backup()
        house.lose()
        assert house.restore(backup, lost=True, quarantine=7_200).quarantined_until == NOW + 7_200
        house.clock.tick(7_200)
        house.sweep()
        assert len(house.lease_all()) == 4

    def test_one_time_texts_are_wiped_since_they_may_have_been_read(self, house: House) -> None:
        once = save(house.store, "once", 6_000, once=True)
        backup = house.backup()
        house.lose()
        house.restore(backup, lost=True)
        assert house.reads(once.code) is None
        assert ask(house.database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(0,)]

    @pytest.mark.parametrize(("later", "there"), [(REST - 1, "open"), (REST, None)])
    def test_an_open_text_whose_code_may_have_gone_round_is_wiped(
        self, house: House, later: int, there: str | None
    ) -> None:
        plain = save(house.store, "open", 10 * REST)
        locked = save(house.store, "locked", 10 * REST, password="four easy words here")
        backup = house.backup()
        house.lose()
        house.clock.tick(later)
        house.restore(backup, lost=True)
        assert house.reads(plain.code) == there
        assert house.reads(locked.code, password="four easy words here") == "locked"

    @pytest.mark.parametrize("harm", ["torn", "foreign", "fresh"])
    def test_a_database_that_does_not_know_is_not_asked(
        self, house: House, harm: str, migrated: Path
    ) -> None:
        backup = house.backup()
        save(house.store, "since", 600)
        house.lose()
        if harm == "torn":
            house.database.write_bytes(backup.read_bytes()[:20_000])
        elif harm == "foreign":
            house.database.write_bytes(b"no database at all" * 1_000)
        else:
            shutil.copy(migrated, house.database)
        found = house.database.read_bytes()
        with pytest.raises(OperationError, match="--lost"):
            house.restore(backup)
        assert house.database.read_bytes() == found
        kept = house.restore(backup, lost=True).old_database
        assert kept
        assert kept.read_bytes() == found
        assert house.lease_all() == set()

    def test_it_is_refused_while_the_database_is_whole(self, house: House) -> None:
        backup = house.backup()
        with pytest.raises(OperationError, match="without --lost"):
            house.restore(backup, lost=True)
