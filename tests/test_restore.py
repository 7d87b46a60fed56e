"""`flask --app saver restore`: the texts of the backup, and nothing that is gone since; no code too early."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saver.codes import Code
from saver.leases import Leases, NoTextError, PoolEmptyError
from saver.upkeep import Backups, Made, Restored, UpkeepError
from tests.conftest import NOW, Clock
from tests.snapshot import ask, snapshot

REST = 86_400
LONGEST = 2_592_000
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"


class House:
    """A service, its operator, and a clock that both go by."""

    def __init__(self, make_app: Callable[..., Flask], clock: Clock, tmp_path: Path, name: str) -> None:
        self._make_app, self._name = make_app, name
        self.clock = clock
        self.folder = tmp_path / f"{name}-backups"
        self.folder.mkdir()
        self.database = tmp_path / name / "saver.db"
        self.open()

    def open(self) -> None:
        """Start the service anew."""
        self.app = self._make_app(self._name)
        self.rooms = self.app.extensions["saver"]

    @property
    def leases(self) -> Leases:
        return self.rooms.leases

    def close(self) -> None:
        """Stop it: no connection is left."""
        with self.app.app_context():
            self.app.extensions["sqlalchemy"].engine.dispose()

    def backup(self) -> Path:
        backups: Backups = self.rooms.upkeep.backup
        made: Made = backups.make(self.folder, 100)
        return made.path

    def restore(self, backup: Path, **how: object) -> Restored:
        self.close()
        self.open()
        restored: Restored = self.rooms.upkeep.restore.restore(backup, **how)
        return restored

    def lose(self) -> None:
        """The database is gone."""
        self.close()
        for path in self.database.parent.glob("saver.db*"):
            path.unlink()

    def sweep(self) -> None:
        while self.leases.sweep(100).more:
            pass

    def reads(self, code: str, **shown: str) -> str | None:
        try:
            return self.leases.load(Code.parse(code), **shown).text
        except NoTextError:
            return None

    def lease_all(self) -> set[str]:
        """Lease every code that is free."""
        found: set[str] = set()
        while True:
            try:
                found.add(self.leases.save("stranger", 60).code)
            except PoolEmptyError:
                return found


@pytest.fixture
def house(make_app: Callable[..., Flask], clock: Clock, tmp_path: Path) -> House:
    return House(make_app, clock, tmp_path, "data")


def test_a_text_that_lives_is_there_again_and_an_expired_one_is_wiped(house: House) -> None:
    long, short = house.leases.save("long", 6_000), house.leases.save("short", 600)
    backup = house.backup()
    house.clock.tick(600)
    restored = house.restore(backup)
    assert (house.reads(long.code), house.reads(short.code)) == ("long", None)
    assert ask(house.database, "SELECT body FROM text WHERE code = ?", short.code) == [(None,)]
    assert (restored.audit.live, restored.audit.resting, restored.taken_over) == (1, 1, 0)
    assert house.lease_all() == set(snapshot(backup).free)


def test_codes_that_were_leased_since_rest_as_long_as_they_would_have(house: House) -> None:
    backup = house.backup()
    since = house.leases.save("since", 6_000)
    assert house.restore(backup).taken_over == 1
    assert house.reads(since.code) is None
    assert house.leases.status(since.code, since.owner_token).state == "deleted"
    assert since.code not in house.lease_all()
    house.clock.tick(6_000 + REST - 1)
    house.sweep()
    assert since.code not in house.lease_all()
    house.clock.tick(1)
    house.sweep()
    assert since.code in house.lease_all()


def test_what_was_deleted_or_read_once_since_stays_gone(house: House) -> None:
    deleted = house.leases.save("deleted", 6_000)
    once = house.leases.save("once", 6_000, once=True)
    claimed = house.leases.save("claimed", 6_000, once=True)
    backup = house.backup()
    house.leases.delete(deleted.code, deleted.owner_token)
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
    lease = house.leases.save("x", 600)
    backup = house.backup()
    until = house.leases.extend(lease.code, lease.owner_token, lambda _sealed: 6_000)
    house.restore(backup)
    house.clock.now = until - 1
    assert house.reads(lease.code) == "x"
    house.clock.now = until + REST - 1
    house.sweep()
    assert lease.code not in house.lease_all()


def test_a_code_that_went_round_since_belongs_to_its_new_lease(house: House) -> None:
    first = house.leases.save("first", 60)
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
    code = house.leases.save("since", 6_000).code
    kept = house.restore(backup).kept
    assert kept
    assert ask(kept, "SELECT code, body FROM text") == [(code, "since")]
    assert snapshot(backup).leased == []
    assert stat.S_IMODE(house.database.stat().st_mode) == 0o600
    assert not list(house.database.parent.glob("*restoring*"))
    assert house.leases.save("goes on", 60).code != code


class TestLost:
    """The database in use so far is not there: any code may have been leased until a moment ago."""

    def test_it_is_not_done_unasked(self, house: House) -> None:
        backup = house.backup()
        house.lose()
        with pytest.raises(UpkeepError, match=f"not there.*--lost.*{LONGEST + REST:,} seconds"):
            house.restore(backup)
        assert not house.database.exists() or not house.database.stat().st_size

    def test_no_code_is_leased_before_the_last_possible_lease_has_rested(self, house: House) -> None:
        lease = house.leases.save("kept", 6_000)
        backup = house.backup()
        house.lose()
        restored = house.restore(backup, lost=True)
        until = NOW + LONGEST + REST
        assert (restored.free_from, restored.audit.free, restored.audit.missing) == (
            until,
            0,
            restored.audit.wanted - 4,
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
        assert house.restore(backup, lost=True, codes_rest=7_200).free_from == NOW + 7_200
        house.clock.tick(7_200)
        house.sweep()
        assert len(house.lease_all()) == 4

    def test_one_time_texts_are_wiped_since_they_may_have_been_read(self, house: House) -> None:
        once = house.leases.save("once", 6_000, once=True)
        backup = house.backup()
        house.lose()
        house.restore(backup, lost=True)
        assert house.reads(once.code) is None
        assert ask(house.database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(0,)]

    @pytest.mark.parametrize(("later", "there"), [(REST - 1, "open"), (REST, None)])
    def test_an_open_text_whose_code_may_have_gone_round_is_wiped(
        self, house: House, later: int, there: str | None
    ) -> None:
        plain = house.leases.save("open", 10 * REST)
        locked = house.leases.save("locked", 10 * REST, password="four easy words here")
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
        house.leases.save("since", 600)
        house.lose()
        if harm == "torn":
            house.database.write_bytes(backup.read_bytes()[:20_000])
        elif harm == "foreign":
            house.database.write_bytes(b"no database at all" * 1_000)
        else:
            shutil.copy(migrated, house.database)
        found = house.database.read_bytes()
        with pytest.raises(UpkeepError, match="--lost"):
            house.restore(backup)
        assert house.database.read_bytes() == found
        kept = house.restore(backup, lost=True).kept
        assert kept
        assert kept.read_bytes() == found
        assert house.lease_all() == set()

    def test_it_is_refused_while_the_database_is_whole(self, house: House) -> None:
        backup = house.backup()
        with pytest.raises(UpkeepError, match="without --lost"):
            house.restore(backup, lost=True)


class TestRefused:
    """What is no backup of this version does not come near the database."""

    def test_while_a_process_has_the_database_open(self, house: House) -> None:
        backup = house.backup()
        house.leases.save("x", 600)
        # Idle, and it has only once looked: as a process of the service at night.
        hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode = WAL')"
        hold += "; c.execute('SELECT 1 FROM code').fetchall(); print('+', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(house.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout
            assert other.stdout.readline()
            with pytest.raises(UpkeepError, match=f"in use by process {other.pid}: stop"):
                house.restore(backup)
            other.communicate(b"")
        assert house.leases.audit().live == 1
        house.restore(backup)
        assert house.leases.audit().live == 0

    def test_a_file_that_is_torn(self, house: House, tmp_path: Path) -> None:
        torn = tmp_path / "torn.db"
        torn.write_bytes(house.backup().read_bytes()[:-8_192])
        self._refused(house, torn, "torn.db is (damaged|no whole database of saver)")

    def test_a_file_of_somebody_else(self, house: House, tmp_path: Path) -> None:
        foreign = tmp_path / "foreign.db"
        with closing(sqlite3.connect(foreign)) as database, database:
            database.execute("CREATE TABLE code (code TEXT)")
        self._refused(house, foreign, "foreign.db is no whole database of saver: no such table")
        foreign.write_text("no database at all")
        self._refused(house, foreign, "foreign.db is no whole database of saver: file is not a database")

    def test_a_file_of_an_older_schema(self, house: House) -> None:
        backup = house.backup()
        with closing(sqlite3.connect(backup)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '0001'")
        self._refused(house, backup, "has schema 0001, this saver needs")

    def test_a_database_that_is_in_use(self, house: House) -> None:
        self._refused(house, house.database, "is the database itself")

    def test_a_file_with_a_log_beside_it(self, house: House) -> None:
        backup = house.backup()
        backup.with_name(f"{backup.name}-wal").write_bytes(b"what is not in the file yet")
        self._refused(house, backup, "-wal lies beside it: that is a database in use")

    def test_a_backup_that_breaks_a_rule(self, house: House) -> None:
        house.leases.save("x", 60)
        backup = house.backup()
        with closing(sqlite3.connect(backup)) as database, database:
            database.execute("INSERT INTO code SELECT code FROM text")
        self._refused(house, backup, "1 codes in two places")

    def test_no_file(self, house: House, tmp_path: Path) -> None:
        self._refused(house, tmp_path / "nothing.db", "there is no file")

    def _refused(self, house: House, file: Path, sentence: str) -> None:
        code = house.leases.save("still there", 600).code
        with pytest.raises(UpkeepError, match=sentence):
            house.restore(file)
        assert house.reads(code) == "still there"
        assert not list(house.database.parent.glob("*re*or*"))


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.sampled_from([60, 600, 5_000])),
        st.tuples(st.just("once"), st.sampled_from([600])),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("extend"), st.integers(0, 9)),
        st.tuples(st.just("read"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.sampled_from([1, 59, 600, 3_600, REST])),
    ),
    max_size=12,
)


class Told:
    """What people were told, and so what must hold whatever is restored."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.leases: list[tuple[str, str, str]] = []
        self.rests_until: dict[str, float] = {}
        self.deleted: set[str] = set()
        self.burnt: set[str] = set()

    def do(self, deed: str, value: int) -> None:
        house = self.house
        if deed == "pass":
            house.clock.tick(value)
            house.sweep()
        elif deed in {"save", "once"}:
            self._save(value, once=deed == "once")
        elif self.leases:
            code, body, token = self.leases[value % len(self.leases)]
            getattr(self, f"_{deed}")(code, body, token)

    def _save(self, life: int, *, once: bool) -> None:
        body = f"text {len(self.leases)}"
        try:
            lease = self.house.leases.save(body, life, once=once)
        except PoolEmptyError:
            return
        assert self.rests_until.get(lease.code, 0) <= self.house.clock.now
        self.leases.append((lease.code, body, lease.owner_token))
        self.rests_until[lease.code] = lease.expires_at + REST

    def _delete(self, code: str, body: str, token: str) -> None:
        try:
            self.house.leases.delete(Code.parse(code), token)
        except NoTextError:
            return
        self.deleted.add(body)
        # Told at once; that it rests is a matter of the deletion, not of the lease.
        if self.leases_of(code)[-1][1] == body:
            self.rests_until[code] = min(self.rests_until[code], self.house.clock.now + REST)

    def _extend(self, code: str, _body: str, token: str) -> None:
        try:
            until = self.house.leases.extend(Code.parse(code), token, lambda _sealed: 5_000)
        except NoTextError:
            return
        self.rests_until[code] = until + REST

    def _read(self, code: str, _body: str = "", _token: str = "") -> str | None:
        found = self.house.reads(code)
        assert found not in self.deleted | self.burnt
        if found and ask(self.house.database, "SELECT ended FROM text WHERE code = ?", code) == [("read",)]:
            self.burnt.add(found)
            self.rests_until[code] = min(self.rests_until[code], self.house.clock.now + REST)
        return found

    def leases_of(self, code: str) -> list[tuple[str, str, str]]:
        return [lease for lease in self.leases if lease[0] == code]

    def holds(self) -> None:
        """Whoever shows a code finds the text that it was given for last, or nothing."""
        for code in {code for code, _, _ in self.leases}:
            assert self._read(code) in (None, self.leases_of(code)[-1][1])
        for code in snapshot(self.house.database).free:
            assert self.rests_until.get(code, 0) <= self.house.clock.now


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=DEEDS, since=DEEDS, later=st.sampled_from([0, 60, REST]), lost=st.booleans())
def test_whatever_happened_nobody_finds_a_strangers_text(
    make_app: Callable[..., Flask], tmp_path_factory: pytest.TempPathFactory, codes: list[str],
    before: list[tuple[str, int]], since: list[tuple[str, int]], later: int, lost: bool, tmp_path: Path,
) -> None:  # fmt: skip
    clock = Clock()
    name = tmp_path_factory.mktemp("walk").name
    told = Told(House(lambda folder: _at(make_app, folder, clock), clock, tmp_path, name))
    house = told.house
    for deed, value in before:
        told.do(deed, value)
    backup = house.backup()
    for deed, value in since:
        told.do(deed, value)
    house.clock.tick(later)
    if lost:
        house.lose()
        # Nobody remembers what was deleted. What may be read once never comes back.
        told.deleted.clear()
    house.restore(backup, lost=lost)
    assert snapshot(house.database).misplaced(codes) == {}
    assert ask(house.database, "PRAGMA integrity_check") == [("ok",)]
    held = "SELECT count(*) FROM text WHERE body IS NOT NULL AND expires_at <= ?"
    assert ask(house.database, held, house.clock.now) == [(0,)]
    told.holds()
    house.clock.tick(REST)
    house.sweep()
    told.holds()
    house.close()


def _at(make_app: Callable[..., Flask], folder: str, clock: Clock) -> Flask:
    app = make_app(folder)
    rooms = app.extensions["saver"]
    for room in (rooms.leases, rooms.upkeep.backup, rooms.upkeep.restore):
        room._clock = clock
    return app
