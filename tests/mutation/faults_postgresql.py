"""Faults that only show on a database with many writers; see ``tests/mutation/faults.py``."""

from __future__ import annotations

from tests.mutation.faults import Fault

_POSTGRES = "tests/databases/test_postgres.py"
_WAITS = "tests/databases/test_postgres_waits.py"

FAULTS = [
    Fault(
        "of the codes that are tried the first of the alphabet is leased",
        "saver/store/allocate.py",
        "next(code for code in wanted if code in free)",
        "Code(min(free))",
        "tests/store/test_leases.py::TestEveryFreeCodeIsEquallyLikely::test_by_trying[postgresql]",
    ),
    Fault(
        "the quota is counted by two at once",
        "saver/store/quota.py",
        'self._database.lock(connection, "quota", *names)',
        "pass",
        "tests/api/test_repeat.py::test_writers_at_once_keep_to_the_quota",
    ),
    Fault(
        "two claims are both the first",
        "saver/store/reading.py",
        ".where(_same).with_for_update()",
        ".where(_same)",
        f"{_POSTGRES}::TestTwoAtOnce::test_a_claim_that_comes_second_reads_nothing",
    ),
    Fault(
        "whoever leases waits for another's code",
        "saver/store/lease_statements.py",
        "with_for_update(skip_locked=True)",
        "with_for_update()",
        f"{_POSTGRES}::TestNobodyWaitsForAnothersCode",
    ),
    Fault(
        "a sweep waits for an owner",
        "saver/store/sweep.py",
        """    .order_by(text.c.expires_at)
    .limit(bindparam("max_rows"))
    .with_for_update(skip_locked=True)""",
        """    .order_by(text.c.expires_at)
    .limit(bindparam("max_rows"))
    .with_for_update()""",
        f"{_POSTGRES}::TestNobodyWaitsForAnothersCode",
    ),
    Fault(
        "an owner ends what came after",
        "saver/store/owner.py",
        "asked = FIND_OWNED.with_for_update() if to_write else FIND_OWNED",
        "asked = FIND_OWNED",
        f"{_POSTGRES}::TestTwoAtOnce::test_an_owner_who_comes_late_does_not_touch_a_strangers_text",
    ),
    Fault(
        "what is on one machine only is acknowledged",
        "saver/database/writer.py",
        "if database.is_not_replicated(connection):",
        "if False:",
        f"{_WAITS}::TestTheStandbyIsAway",
    ),
    Fault(
        "what is on one machine only is acknowledged when it is asked for again",
        "saver/store/writing.py",
        """    .where(text.c.key_hash == bindparam("key_hash"))
    .with_for_update()""",
        """    .where(text.c.key_hash == bindparam("key_hash"))""",
        f"{_WAITS}::TestTheStandbyIsAway",
    ),
    Fault(
        "a one-time text is burnt while the standby is away",
        "saver/store/reading.py",
        "                self._restore(code, found, before)\n",
        "                pass\n",
        f"{_WAITS}::TestTheStandbyIsAway",
    ),
    Fault(
        "a key that was used a moment ago is a fault",
        "saver/database/postgresql_checks.py",
        '{"40P01", "40001", "23505"}',
        '{"40P01", "40001"}',
        f"{_POSTGRES}::TestTwoAtOnce::test_two_writes_with_one_key_are_one_lease",
    ),
    Fault(
        "a standby is asked",
        "saver/database/postgresql_connections.py",
        '"target_session_attrs": "read-write"',
        '"target_session_attrs": "any"',
        f"{_POSTGRES}::TestItComesBackByItself::test_a_server_that_only_reads_is_not_asked",
    ),
    Fault(
        "a lost connection is an error",
        "saver/database/base.py",
        'return bool(getattr(driver_connection, "closed", False))',
        "return False",
        f"{_POSTGRES}::TestItComesBackByItself::test_a_lost_connection_is_not_noticed",
    ),
    Fault(
        "a transaction begins on a lost connection",
        "saver/database/postgresql_checks.py",
        "return error.statement in BEGIN.values()",
        "return False",
        f"{_POSTGRES}::TestItComesBackByItself::test_a_lost_connection_is_not_noticed",
    ),
    Fault(
        "after pg_restore codes are leased that were leased since",
        "saver/ops/quarantine.py",
        "quarantine_all(self._database, connection, now, until, self._rules.rest)",
        "pass",
        "tests/databases/test_restored.py",
    ),
]
