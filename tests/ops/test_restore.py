"""`flask --app saver restore`: the backup's texts without those deleted since, and no code too early."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from saver.meetings import NoMeetingError
from saver.ops import OperationError
from tests.conftest import NOW, Clock
from tests.support.service_with_backups import CLAIM, LONGEST, REST, ServiceWithBackups
from tests.support.snapshot import query, snapshot
from tests.support.texts import extend, save, stored_texts


@pytest.fixture
def service(make_app: Callable[..., Flask], clock: Clock, tmp_path: Path) -> ServiceWithBackups:
    return ServiceWithBackups(make_app, clock, tmp_path, "data")


def test_a_text_that_lives_is_there_again_and_an_expired_one_is_wiped(service: ServiceWithBackups) -> None:
    long, short = save(service.store, "long", 6_000), save(service.store, "short", 600)
    backup = service.backup()
    service.clock.tick(600)
    restored = service.restore(backup)
    assert (service.reads(long.code), service.reads(short.code)) == ("long", None)
    assert query(service.database, "SELECT body FROM text WHERE code = ?", short.code) == [(None,)]
    assert (restored.audit.live, restored.audit.cooling_down, restored.merged) == (1, 1, 0)
    assert service.lease_all() == set(snapshot(backup).free)


def test_codes_that_were_leased_since_rest_as_long_as_they_would_have(service: ServiceWithBackups) -> None:
    backup = service.backup()
    since = save(service.store, "since", 6_000)
    assert service.restore(backup).merged == 1
    assert service.reads(since.code) is None
    assert service.store.status(since.code, since.owner_token).state == "deleted"
    assert since.code not in service.lease_all()
    service.clock.tick(6_000 + REST - 1)
    service.sweep()
    assert since.code not in service.lease_all()
    service.clock.tick(1)
    service.sweep()
    assert since.code in service.lease_all()


def test_what_was_deleted_or_read_once_since_stays_gone(service: ServiceWithBackups) -> None:
    deleted = save(service.store, "deleted", 6_000)
    once = save(service.store, "once", 6_000, once=True)
    claimed = save(service.store, "claimed", 6_000, once=True)
    backup = service.backup()
    service.store.delete(deleted.code, deleted.owner_token)
    assert service.reads(once.code) == "once"
    assert service.reads(claimed.code, claim=CLAIM) == "claimed"
    service.restore(backup)
    assert service.reads(deleted.code) is None
    assert service.reads(once.code) is None
    # Its reader may ask again as before, and no other reader.
    assert service.reads(claimed.code) is None
    assert service.reads(claimed.code, claim=CLAIM) == "claimed"
    assert query(service.database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(1,)]


@pytest.mark.parametrize("lost", [False, True])
def test_a_live_transfer_is_over(service: ServiceWithBackups, lost: bool) -> None:
    token = bytes(16)
    opened = service.store.meetings.open(token, "sender")
    backup = service.backup()
    assert query(backup, "SELECT number FROM meeting") == [(opened.number,)]
    if lost:
        service.lose()
    service.restore(backup, lost=lost)
    assert query(service.database, "SELECT * FROM meeting") == []
    with pytest.raises(NoMeetingError):
        service.store.meetings.poll(opened.number, token)


def test_an_extended_text_lives_until_its_new_end(service: ServiceWithBackups) -> None:
    lease = save(service.store, "x", 600)
    backup = service.backup()
    until = extend(service.store, lease.code, lease.owner_token, 6_000)
    service.restore(backup)
    service.clock.now = until - 1
    assert service.reads(lease.code) == "x"
    service.clock.now = until + REST - 1
    service.sweep()
    assert lease.code not in service.lease_all()


def test_a_code_that_went_round_since_belongs_to_its_new_lease(service: ServiceWithBackups) -> None:
    first = save(service.store, "first", 60)
    backup = service.backup()
    service.clock.tick(60 + REST)
    service.sweep()
    taken = service.lease_all()
    assert first.code in taken
    service.restore(backup)
    assert [service.reads(code) for code in taken] == [None] * 4
    service.clock.tick(60 + REST - 1)
    service.sweep()
    assert service.lease_all() == set()
    service.clock.tick(1)
    service.sweep()
    assert service.lease_all() == taken


def test_the_database_so_far_is_kept_and_can_be_restored_in_its_turn(service: ServiceWithBackups) -> None:
    backup = service.backup()
    code = save(service.store, "since", 6_000).code
    old = service.restore(backup).old_database
    assert old
    assert stored_texts(service.store, old) == [(code, "since")]
    assert snapshot(backup).leased == []
    assert stat.S_IMODE(service.database.stat().st_mode) == 0o600
    assert not list(service.database.parent.glob("*restoring*"))
    assert save(service.store, "goes on", 60).code != code


class TestLost:
    """The current database is lost: any code may have been leased a moment ago."""

    def test_it_is_not_done_unasked(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        service.lose()
        with pytest.raises(OperationError, match=f"not there.*--lost.*{LONGEST + REST:,} seconds"):
            service.restore(backup)
        assert not service.database.exists() or not service.database.stat().st_size

    def test_no_code_is_leased_before_the_last_possible_lease_has_rested(
        self, service: ServiceWithBackups
    ) -> None:
        lease = save(service.store, "kept", 6_000)
        backup = service.backup()
        service.lose()
        restored = service.restore(backup, lost=True)
        until = NOW + LONGEST + REST
        assert (restored.quarantined_until, restored.audit.free, restored.audit.missing) == (
            until,
            0,
            restored.audit.pool_size - 4,
        )
        assert service.reads(lease.code) == "kept"
        for now in (NOW, NOW + 6_000 + REST, until - 1):
            service.clock.now = now
            service.sweep()
            assert service.lease_all() == set()
        service.clock.now = until
        service.sweep()
        assert len(service.lease_all()) == 4

    def test_the_operator_may_know_better_how_long_texts_lived(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        service.lose()
        assert service.restore(backup, lost=True, quarantine=7_200).quarantined_until == NOW + 7_200
        service.clock.tick(7_200)
        service.sweep()
        assert len(service.lease_all()) == 4

    def test_one_time_texts_are_wiped_since_they_may_have_been_read(
        self, service: ServiceWithBackups
    ) -> None:
        once = save(service.store, "once", 6_000, once=True)
        backup = service.backup()
        service.lose()
        service.restore(backup, lost=True)
        assert service.reads(once.code) is None
        assert query(service.database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(0,)]

    @pytest.mark.parametrize(("later", "there"), [(REST - 1, "open"), (REST, None)])
    def test_an_open_text_whose_code_may_have_gone_round_is_wiped(
        self, service: ServiceWithBackups, later: int, there: str | None
    ) -> None:
        plain = save(service.store, "open", 10 * REST)
        locked = save(service.store, "locked", 10 * REST, password="four easy words here")
        backup = service.backup()
        service.lose()
        service.clock.tick(later)
        service.restore(backup, lost=True)
        assert service.reads(plain.code) == there
        assert service.reads(locked.code, password="four easy words here") == "locked"

    @pytest.mark.parametrize("harm", ["torn", "foreign", "fresh"])
    def test_a_database_that_does_not_know_is_not_asked(
        self, service: ServiceWithBackups, harm: str, migrated: Path
    ) -> None:
        backup = service.backup()
        save(service.store, "since", 600)
        service.lose()
        if harm == "torn":
            service.database.write_bytes(backup.read_bytes()[:20_000])
        elif harm == "foreign":
            service.database.write_bytes(b"no database at all" * 1_000)
        else:
            shutil.copy(migrated, service.database)
        found = service.database.read_bytes()
        with pytest.raises(OperationError, match="--lost"):
            service.restore(backup)
        assert service.database.read_bytes() == found
        old = service.restore(backup, lost=True).old_database
        assert old
        assert old.read_bytes() == found
        assert service.lease_all() == set()

    def test_it_is_refused_while_the_database_is_whole(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        with pytest.raises(OperationError, match="without --lost"):
            service.restore(backup, lost=True)
