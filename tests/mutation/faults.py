"""Faults to be planted on purpose, each with the test that must notice it.

Whoever changes a line that a fault is planted in plants it anew: ``old`` must
stand in the file exactly once.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import Phase, settings

# A planted fault is to be found, not to be explained by the shortest example.
FIRST_EXAMPLE = "first-example"
# And to be found every time, or never.
settings.register_profile(FIRST_EXAMPLE, phases=[Phase.explicit, Phase.generate], derandomize=True)


class Fault(NamedTuple):
    """In ``file``, ``new`` instead of ``old``; ``caught_by`` is a test, a class or a file of them."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str


_WALK = "tests/store/test_walk.py"
_ONE_PLACE = "tests/concurrency/test_races.py::test_every_code_is_in_one_place_before_each_statement"
_SHARED_COMMIT = "tests/concurrency/test_writer.py"
_LEASES = "tests/store/test_leases.py"
_BUDGETS = "tests/api/test_budgets.py"
_COUNTS = "tests/unit/test_counts.py"
_QUESTIONS = "tests/api/test_questions.py"
_REDIS = "tests/databases/test_redis.py"
_WORKER = "tests/ops/test_worker.py"
_AND_COMMIT = '{0}\n{1}connection.connection.commit()\n{1}connection.connection.execute("BEGIN IMMEDIATE")'


def _committed_after(line: str, indent: int) -> str:
    return _AND_COMMIT.format(line, " " * indent)


_PUT = 'self._insert.run(connection, {"code": code, **row})'
_DROP = 'connection.execute(_drop, {"codes": freed})'
_END = 'connection.execute(_wipe_now, {"wanted": code, **values})'
_FIND = "    _here, is_live\n)\n# The same lease"
_ONCE = "tests/api/test_once.py"
_REPEAT = "tests/api/test_repeat.py"
_BODIES = "tests/api/test_bodies.py"
_RESTORE = "tests/ops/test_restore.py"
_FILE_GONE = "tests/store/test_file_gone.py"
_COLLECTING = "tests/unit/test_collecting.py"
_SLOW = "tests/servers/test_slow.py"

FAULTS = [
    Fault(
        "a code is leased and stays in the pool",
        "saver/store/lease_statements.py",
        'delete(pool).where(pool.c.code == bindparam("code"))',
        'pool.update().where(pool.c.code == bindparam("code")).values(code=pool.c.code)',
        _WALK,
    ),
    Fault(
        "code and text in two transactions",
        "saver/store/lease_statements.py",
        _PUT,
        f"{_committed_after('', 8).lstrip()}\n        {_PUT}",
        _ONE_PLACE,
    ),
    Fault(
        "a sweep in two transactions", "saver/store/sweep.py", _DROP, _committed_after(_DROP, 8), _ONE_PLACE
    ),
    Fault(
        "no transaction at all",
        "saver/database/sqlite_connections.py",
        '"write": "BEGIN IMMEDIATE"',
        '"write": ""',
        _ONE_PLACE,
    ),
    Fault(
        "no rest after expiry",
        "saver/store/writing.py",
        '"free_at": self._store.reusable_at(expires_at),',
        '"free_at": expires_at,',
        _WALK,
    ),
    Fault(
        "no rest after deletion",
        "saver/store/wipe.py",
        "store.reusable_at(now)",
        "math.ceil(now)",
        _WALK,
    ),
    Fault(
        "no check of expiry at a load",
        "saver/store/reading.py",
        _FIND,
        _FIND.replace("is_live", "text.c.body.is_not(None)"),
        _WALK,
    ),
    Fault(
        "served at the instant of expiry",
        "saver/store/predicates.py",
        'is_expired = text.c.expires_at <= bindparam("now")',
        'is_expired = text.c.expires_at < bindparam("now")',
        _WALK,
    ),
    Fault(
        "given back before the rest is over",
        "saver/store/sweep.py",
        '.where(~has_body, text.c.free_at <= bindparam("now"))',
        '.where(~has_body, text.c.expires_at <= bindparam("now"))',
        _WALK,
    ),
    Fault(
        "a sweep loses a code",
        "saver/store/sweep.py",
        '[{"code": code} for code in freed]',
        '[{"code": code} for code in freed[:1]]',
        f"{_LEASES}::test_a_code_rests_before_it_is_leased_again",
    ),
    Fault(
        "a sweep wipes what is live",
        "saver/store/sweep.py",
        ".where(has_body, is_expired)",
        '.where(has_body, bindparam("now").is_not(None))',
        _WALK,
    ),
    Fault(
        "a deletion drops the row and its code",
        "saver/store/wipe.py",
        _END,
        "connection.execute(text.delete().where(text.c.code == code))",
        _WALK,
    ),
    Fault(
        "case does not matter",
        "saver/store/reading.py",
        '_here = text.c.code == bindparam("code")',
        '_here = text.c.code.collate("NOCASE") == bindparam("code")',
        _WALK,
    ),
    Fault(
        "any token deletes",
        "saver/store/owner.py",
        "if not hmac.compare_digest(shown, found.owner_hash if found else NO_HASH) or found is None:",
        "if found is None:",
        _WALK,
    ),
    Fault(
        "any password opens",
        "saver/store/reading.py",
        "return hmac.compare_digest(shown, found.proof_hash or NO_HASH) or found.proof_hash is None",
        "return True",
        f"{_LEASES}::test_a_sealed_text_needs_its_password",
    ),
    Fault(
        "no password opens",
        "saver/store/reading.py",
        "_is_plain = and_(text.c.proof_hash.is_(None), ~text.c.once)",
        "_is_plain = ~text.c.once",
        f"{_LEASES}::test_a_sealed_text_needs_its_password",
    ),
    Fault(
        "the decoy of a code changes",
        "saver/store/base.py",
        'hmac.digest(self.secret, b"decoy salt " + code.encode(), hashlib.sha256)',
        "self.random.randbytes(32)",
        f"{_LEASES}::test_the_404_of_a_code_has_a_seal_that_stays_the_same",
    ),
    Fault(
        "the 404 tells which codes are sealed",
        "saver/store/base.py",
        "return Seal(salt[: seal.SALT_BYTES], seal.ITERATIONS)",
        "return Seal(salt[: seal.SALT_BYTES], seal.ITERATIONS + 1)",
        f"{_LEASES}::test_the_404_of_a_code_has_a_seal_that_stays_the_same",
    ),
    Fault(
        "a weak derivation is allowed",
        "saver/seal.py",
        "MIN_ITERATIONS = 600_000",
        "MIN_ITERATIONS = 1",
        "tests/unit/test_seal.py",
    ),
    Fault(
        "a lost answer burns a one-time text",
        "saver/store/reading.py",
        "            if mine is None:\n",
        "            if row.claim_hash is None:\n",
        f"{_ONCE}::test_the_same_claim_may_read_again_and_nobody_else",
    ),
    Fault(
        "two claims win",
        "saver/store/reading.py",
        "if row is None or row.claim_hash not in (None, mine):",
        "if row is None:",
        f"{_ONCE}::test_of_readers_that_derive_at_once_one_reads",
    ),
    Fault(
        "a claim is for ever",
        "saver/store/reading.py",
        "min(row.expires_at, now + CLAIM_SECONDS)",
        "row.expires_at",
        f"{_ONCE}::test_the_same_claim_may_read_again_and_nobody_else",
    ),
    Fault(
        "another request under a key gets the first answer",
        "saver/store/writing.py",
        "    if found and not hmac.compare_digest(found.request_hash, idempotency.request_hash):\n",
        "    if False:\n",
        f"{_REPEAT}::test_another_request_under_the_same_key_is_refused",
    ),
    Fault(
        "a source may keep one text too many",
        "saver/store/quota.py",
        "texts + 1 > quota.texts",
        "texts > quota.texts",
        f"{_REPEAT}::test_a_source_keeps_so_many_texts_and_no_more",
    ),
    Fault(
        "some codes are drawn more often",
        "saver/store/allocate.py",
        '"place": self._random.randrange(count)}',
        '"place": self._random.randrange(count) * 2 % count}',
        f"{_LEASES}::TestEveryFreeCodeIsEquallyLikely::test_by_counting",
    ),
    Fault(
        "a wiped text keeps its body",
        "saver/store/wipe.py",
        'SECRET_COLUMNS = ("body", "seal",',
        'SECRET_COLUMNS = ("seal",',
        f"{_LEASES}::test_a_wiped_text_is_overwritten_in_the_file",
    ),
    Fault(
        "a commit does not wait for the disk",
        "saver/database/sqlite_connections.py",
        '"synchronous = FULL"',
        '"synchronous = OFF"',
        f"{_LEASES}::test_writes_wait_for_the_disk",
    ),
    Fault(
        "acknowledged before the commit",
        "saver/database/writer.py",
        "results = [job.work(connection) for job in jobs]",
        """results = [job.work(connection) for job in jobs]
                for job, result in zip(jobs[1:], results[1:], strict=True):
                    job.result, job.done = result, True
                    job.ready.release()""",
        f"{_SHARED_COMMIT}::test_nobody_is_answered_before_the_commit",
    ),
    Fault(
        "acknowledged although the commit failed",
        "saver/database/writer.py",
        "_fail(jobs, self._database.storage_error(error) or StorageError(type(error).__name__))",
        "_fail(jobs, None)",
        f"{_SHARED_COMMIT}::test_a_commit_that_fails_is_everybodys_failure_and_the_next_one_works",
    ),
    Fault(
        "one that is refused takes the others with it",
        "saver/database/writer.py",
        "                self._commit_one(job)\n",
        '                job.error, job.done = StorageError("refused"), True\n',
        f"{_SHARED_COMMIT}::test_one_that_is_refused_does_no_harm_to_the_others",
    ),
    Fault(
        "the lead is not handed on",
        "saver/database/writer.py",
        "self._waiting[0].ready.release()",
        "pass",
        f"{_SHARED_COMMIT}::test_the_lead_is_always_handed_on",
    ),
    Fault(
        "an interruption leaves the others without an answer",
        "saver/database/writer.py",
        '_fail(jobs, StorageError("interrupted"))',
        "pass",
        f"{_SHARED_COMMIT}::test_an_interruption_leaves_nobody_waiting",
    ),
    Fault(
        "everybody waits for the disk alone",
        "saver/database/writer.py",
        "_MAX_BATCH = 64",
        "_MAX_BATCH = 1",
        f"{_SHARED_COMMIT}::test_those_who_wait_share_a_commit",
    ),
    Fault(
        "a fill adds codes that are leased",
        "saver/store/pool.py",
        "connection.execute(_add_missing,",
        "connection.execute(_add_all,",
        "tests/concurrency/test_crash.py::test_a_fill_that_was_killed_goes_on_where_it_stopped",
    ),
    Fault(
        "a guess is counted after it was looked up",
        "saver/ratelimit/lookups.py",
        "        try:\n            yield False\n        except not_found:\n",
        """        self._counters.refund(charged, self._now)
        try:
            yield False
        except not_found:
            charged = self._counters.charge([one.charge for one in charged], self._now)
""",
        "tests/concurrency/test_guesses.py::test_a_look_up_in_flight_is_counted",
    ),
    Fault(
        "misses cost nothing",
        "saver/ratelimit/lookups.py",
        "            in_flight = [one for one in charged if one.charge in self._plan.in_flight]\n",
        "            in_flight = charged\n",
        f"{_BUDGETS}::test_the_eleventh_miss_in_a_minute_is_refused_with_the_time_to_wait",
    ),
    Fault(
        "a question is a miss for good",
        "saver/ratelimit/lookups.py",
        "charges = self._plan.misses + self._plan.all_misses + fallback",
        "charges = fallback",
        f"{_QUESTIONS}::test_opening_sealed_texts_costs_nothing",
    ),
    Fault(
        "one miss looks for an open text twice",
        "saver/ratelimit/lookups.py",
        "            yield True\n",
        "            yield False\n",
        f"{_QUESTIONS}::test_what_a_question_has_paid_for_opens_no_text_that_came_later",
    ),
    Fault(
        "a right password renews the budget of a later window",
        "saver/ratelimit/mapped_table.py",
        "if count and ends_at - charge.seconds <= began + _ROUNDING_ERROR:",
        "if count:",
        f"{_COUNTS}::TestBoth",
    ),
    Fault(
        "a right password renews the budget of a later window in Redis",
        "saver/ratelimit/redis.py",
        "if ends > 0 and ends - ARGV[place + 1] <= began then",
        "if ends > 0 then",
        f"{_COUNTS}::TestBoth",
    ),
    Fault(
        "a credit in Redis is used as often as one likes",
        "saver/ratelimit/redis.py",
        "        subtract(KEYS[place], 1)\n",
        "",
        f"{_COUNTS}::TestBoth",
    ),
    Fault(
        "every address of a /64 is a source",
        "saver/ratelimit/addresses.py",
        "(ip, 64)",
        "(ip, 128)",
        f"{_BUDGETS}::test_who_is_counted_as_one",
    ),
    Fault(
        "anybody's X-Forwarded-For is believed",
        "saver/ratelimit/addresses.py",
        " or not is_within(client, trusted)",
        "",
        f"{_BUDGETS}::test_behind_proxies_the_right_most_stranger_counts",
    ),
    Fault(
        "whoever comes over a unix socket is believed unasked",
        "saver/ratelimit/addresses.py",
        "return UNIX in networks",
        "return True",
        f"{_BUDGETS}::test_behind_proxies_the_right_most_stranger_counts",
    ),
    Fault(
        "a clock that was set back stops the worker",
        "saver/worker.py",
        "if idle is None or idle > self._every:",
        "if idle is None:",
        f"{_WORKER}::test_a_clock_that_is_set_does_not_stop_it",
    ),
    Fault(
        "the worker logs what may be a text",
        "saver/worker.py",
        "type(error).__name__, self._every)",
        "error, self._every)",
        f"{_WORKER}::test_a_job_that_fails_is_tried_again_and_its_message_is_not_logged",
    ),
    Fault(
        "the worker does not say that it is there",
        "saver/worker.py",
        "            self._readiness.beat()\n",
        "",
        f"{_WORKER}::test_the_sweeper_is_ready_as_long_as_it_sweeps",
    ),
    Fault(
        "a sweep that fails ends the worker",
        "saver/worker.py",
        "except Exception as error:",
        "except ArithmeticError as error:",
        f"{_WORKER}::test_a_job_that_fails_is_tried_again_and_its_message_is_not_logged",
    ),
    Fault(
        "texts fill the disk to its brim",
        "saver/database/disk.py",
        "if not reserve or free >=",
        "if reserve or free >=",
        "tests/system/test_disk.py::test_it_heals[texts]",
    ),
    Fault(
        "the reserve is kept when the disk is full",
        "saver/database/writer.py",
        "if not (error.disk_full and self._database.release_reserve()):",
        "if True:",
        "tests/system/test_disk.py::test_it_heals[something_else]",
    ),
    Fault(
        "a network keeps what it likes",
        "saver/store/quota.py",
        "self._check(connection, text.c.network, quota.network, size, now)",
        "pass",
        f"{_REPEAT}::TestANetwork",
    ),
    Fault(
        "a text in a deleted file is acknowledged",
        "saver/database/sqlite_connections.py",
        "if is_write and _is_gone(connection.info, path):",
        "if False:",
        f"{_FILE_GONE}::test_what_is_deleted_before_the_commit_is_not_acknowledged",
    ),
    Fault(
        "a deleted file is read on",
        "saver/database/sqlite_connections.py",
        "if _is_gone(record.info, path):",
        "if False:",
        f"{_FILE_GONE}::test_what_is_deleted_is_not_written_to",
    ),
    Fault(
        "everybody may read a new database",
        "saver/database/sqlite_connections.py",
        "os.O_EXCL | os.O_CLOEXEC, 0o600",
        "os.O_EXCL | os.O_CLOEXEC, 0o644",
        f"{_FILE_GONE}::test_nobody_else_may_read_a_file_from_its_first_moment",
    ),
    Fault(
        "a writer that is stopped costs every other one its whole patience",
        "saver/database/file_lock.py",
        "_SHORT_TIMEOUT = 0.05",
        "_SHORT_TIMEOUT = 3.0",
        "tests/concurrency/test_gate.py::test_whoever_waits_gives_up_in_time_and_the_next_one_soon",
    ),
    Fault(
        "a migration puts a long body before what is looked up",
        "migrations/versions/0004_body_last.py",
        "[*small_columns(), network(), body()]",
        "[body(), *small_columns(), network()]",
        "tests/store/test_migrations.py::test_a_large_body_is_behind_all_that_is_read_of_a_row",
    ),
    Fault(
        "a look-up reads a body to say that there is one",
        "saver/store/predicates.py",
        'case((is_live, true()), else_=false()).label("live")',
        'is_live.label("live")',
        f"{_LEASES}::test_no_look_up_reads_a_body_to_say_that_there_is_one",
    ),
    Fault(
        "a migration forgets WITHOUT ROWID",
        "migrations/versions/0001_pool_and_texts.py",
        "sqlite_with_rowid=False,",
        "",
        "tests/store/test_migrations.py::test_the_pool_has_no_rowid_and_the_indexes_are_partial",
    ),
    Fault(
        "a migration forgets a check",
        "migrations/versions/0004_body_last.py",
        '        sa.CheckConstraint("free_at >= expires_at", name=op.f("ck_text_rest")),\n',
        "",
        "tests/store/test_migrations.py::test_what_alembic_does_not_compare_is_the_same_too",
    ),
    Fault(
        "a restore forgets what was leased since",
        "saver/store/after_restore.py",
        "    connection.execute(_REMOVE_FROM_POOL)\n    merged = connection.execute(_INSERT_AS_COOLING,",
        "    merged = connection.execute(_INSERT_AS_COOLING.where(text.c.code.is_(None)),",
        f"{_RESTORE}::test_codes_that_were_leased_since_rest_as_long_as_they_would_have",
    ),
    Fault(
        "a restore revives what was deleted",
        "saver/store/after_restore.py",
        "    connection.execute(_UPDATE_SAME_LEASES)\n",
        "",
        f"{_RESTORE}::test_what_was_deleted_or_read_once_since_stays_gone",
    ),
    Fault(
        "a restore without the past lets codes be leased at once",
        "saver/store/after_restore.py",
        '    connection.execute(_COOL_DOWN_ALL_FREE, {"now": now, "until": until})\n'
        "    connection.execute(delete(pool))\n",
        "",
        f"{_RESTORE}::TestLost::test_no_code_is_leased_before_the_last_possible_lease_has_rested",
    ),
    Fault(
        "a restore while somebody has the database open",
        "saver/database/sqlite_files.py",
        'connection.execute(f"PRAGMA {OLD}.locking_mode = EXCLUSIVE")',
        "pass",
        "tests/ops/test_restore_refused.py::TestRefused::test_while_a_process_has_the_database_open",
    ),
    Fault(
        "a backup gets its name before it is checked",
        "saver/ops/backup.py",
        "            audit = self._copied(partial) if",
        "            target.hardlink_to(partial)\n            audit = self._copied(partial) if",
        "tests/ops/test_backup.py::test_a_copy_that_breaks_a_rule_gets_no_name",
    ),
    Fault(
        "a worker that does nothing is taken for one that works",
        "saver/worker.py",
        "        idle = self._scheduler.idle_seconds\n",
        "        idle = self._scheduler.idle_seconds\n        self._alive()\n",
        "tests/ops/test_notify.py::test_a_loop_whose_job_never_comes_says_nothing",
    ),
    Fault(
        "a full disk kills whoever counts",
        "saver/ratelimit/mapped_file.py",
        "os.posix_fallocate(descriptor, 0, slots * SLOT.size)",
        "os.ftruncate(descriptor, slots * SLOT.size)",
        f"{_COUNTS}::TestSharedCounts::test_a_disk_that_fills_up_later_has_room_for_every_count",
    ),
    Fault(
        "a refund is taken from whatever window is open",
        "saver/ratelimit/mapped_table.py",
        "if count and ends_at == one.window:",
        "if count:",
        f"{_COUNTS}::TestBoth",
    ),
    Fault(
        "a refund is taken from whatever window is open in Redis",
        "saver/ratelimit/redis.py",
        "if redis.call('PEXPIRETIME', key) == tonumber(window) then",
        "if redis.call('EXISTS', key) == 1 then",
        f"{_COUNTS}::TestBoth",
    ),
    Fault(
        "a window in Redis never ends",
        "saver/ratelimit/redis.py",
        "    if ends < 0 then",
        "    if count < 0 then",
        f"{_COUNTS}::TestRedisCounts::test_every_key_has_our_prefix_and_an_expiry",
    ),
    Fault(
        "what has no answer is sent to Redis again",
        "saver/redis_client.py",
        "retry=Retry(NoBackoff(), 0)",
        "retry=Retry(NoBackoff(), 1)",
        f"{_COUNTS}::TestRedisCounts::test_what_has_no_answer_is_not_sent_again",
    ),
    Fault(
        "a Redis that hangs holds everybody",
        "saver/redis_client.py",
        "socket_timeout=_TIMEOUT",
        "socket_timeout=9 * _TIMEOUT",
        f"{_REDIS}::TestLost::test_one_that_hangs_holds_nobody_for_long",
    ),
    Fault(
        "a refund that fails takes the answer with it",
        "saver/ratelimit/safe.py",
        "except CountersError as error:",
        "except ArithmeticError as error:",
        f"{_REDIS}::TestLost::test_what_is_under_way_is_answered",
    ),
    Fault(
        "the last load of a text is told for the first one",
        "saver/receipts/redis.py",
        "HSETNX",
        "HSET",
        "tests/databases/test_receipts.py::TestRedisReceipts",
    ),
    Fault(
        "notes tell which codes were asked for",
        "saver/store/reading.py",
        'hmac.digest(self._store.secret, b"nobody " + code.encode(), hashlib.sha256)',
        "hash_secret(code)",
        "tests/databases/test_redis_servers.py::test_nothing_in_it_can_be_read",
    ),
    Fault(
        "a body in chunks is cut at its limit",
        "saver/api/body.py",
        "request.max_content_length = max_bytes + 1",
        "request.max_content_length = max_bytes",
        f"{_BODIES}::test_no_more_of_a_write_is_read_than_may_come",
    ),
    Fault(
        "every unknown field is looked at",
        "saver/api/fields.py",
        "        if len(faults) == MAX_FAULTS:\n",
        "        if False:\n",
        f"{_BODIES}::test_of_many_unknown_fields_a_handful_is_looked_at",
    ),
    Fault(
        "a path without its last slash redirects",
        "saver/api/legacy.py",
        'blueprint.post("/write")',
        'blueprint.post("/write/", strict_slashes=True)',
        "tests/api/test_api.py::test_nothing_redirects",
    ),
    Fault(
        "letters that look alike are taken for those of a code",
        "saver/codes.py",
        "letters = given.translate(_FULL_WIDTH)",
        'letters = given.translate({**_FULL_WIDTH, 0x0440: "p"})',
        "tests/unit/test_codes.py::test_anything_else_is_refused_without_repeating_it",
    ),
    Fault(
        "a body has as long as a header, however long it is",
        "saver/server/connection.py",
        "return self._deadline + len(self._body) / MIN_RATE",
        "return self._deadline",
        f"{_COLLECTING}::test_a_megabyte_over_a_line_of_100_kilobits_arrives",
    ),
    Fault(
        "a connection that drips is waited for",
        "saver/server/connection.py",
        "        if self.stage is Stage.IDLE:\n            self._wait(Stage.HEADER",
        "        if self.stage in (Stage.IDLE, Stage.HEADER):\n            self._wait(Stage.HEADER",
        f"{_COLLECTING}::test_a_byte_a_second_is_cut_off",
    ),
    Fault(
        "bodies fill the memory",
        "saver/server/hub.py",
        "while self.buffered > self.limits.max_memory:",
        "while False:",
        f"{_COLLECTING}::test_whoever_waits_longest_makes_room_for_bodies",
    ),
    Fault(
        "whoever is cut off holds its memory until it is gone, and others are cut off too",
        "saver/server/connection.py",
        "            self._set_buffered(0)\n            self._transport.abort()",
        "            self._transport.abort()",
        f"{_COLLECTING}::test_an_answer_that_nobody_takes_makes_room_without_others",
    ),
    Fault(
        "whoever has come last makes room",
        "saver/server/limits.py",
        "first = next((waiter for waiter in self._waiters if waiter.buffered), None)",
        "first = next((waiter for waiter in reversed(self._waiters) if waiter.buffered), None)",
        f"{_COLLECTING}::test_whoever_waits_longest_makes_room_for_bodies",
    ),
    Fault(
        "a header with an underscore passes for another",
        "saver/server/request.py",
        'if b"_" not in name and name',
        "if name",
        f"{_COLLECTING}::test_the_app_is_told_what_came",
    ),
    Fault(
        "chunks have no end",
        "saver/server/connection.py",
        "if len(self._body) > self._hub.limits.max_body:",
        "if False:",
        f"{_SLOW}::test_chunks_beyond_the_limit_are_refused_before_they_end",
    ),
    Fault(
        "half a text is taken for a whole one",
        "saver/api/body.py",
        "if length is not None and len(body) != length:",
        "if False:",
        "tests/api/test_bodies.py::test_half_a_text_is_refused_whatever_the_server_says_of_its_end",
    ),
    Fault(
        "what was cut off is not counted",
        "saver/server/connection.py",
        "self._hub.timed_out += 1",
        "self._hub.timed_out += 0",
        f"{_SLOW}::test_what_is_cut_off_gets_a_408_and_is_counted",
    ),
]
