"""Patches that break saver in ways that a mutation tool does not, each with the test that must fail.

``old`` must occur in the file exactly once. If you change that line, change the patch too.
"""

from __future__ import annotations

from typing import NamedTuple


class Patch(NamedTuple):
    """Replaces ``old`` in ``file`` by ``new``; ``caught_by`` is a test, a class or a file of them."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str


_ONE_PLACE = (
    "tests/concurrency/test_concurrent_access.py::test_every_code_is_in_one_place_before_each_statement"
)
_SHARED_COMMIT = "tests/concurrency/test_writer.py"
_LEASES = "tests/store/test_text_store.py"
_AT_REST = "tests/store/test_at_rest.py"
_LIVE = "tests/api/test_live.py"
_FILE_GONE = "tests/store/test_file_gone.py"
_WAYS = "tests/e2e/extension/test_ways.py"
_AND_COMMIT = '{0}\n{1}connection.connection.commit()\n{1}connection.connection.execute("BEGIN IMMEDIATE")'
_PUT = "self._insert.run(connection, make_row(code))"
_DROP = 'connection.execute(_drop, {"codes": freed})'


def _committed_after(line: str, indent: int) -> str:
    return _AND_COMMIT.format(line, " " * indent)


PATCHES = [
    Patch(
        "a code and its text are stored in two transactions",
        "saver/store/lease_statements.py",
        _PUT,
        f"{_committed_after('', 8).lstrip()}\n        {_PUT}",
        _ONE_PLACE,
    ),
    Patch(
        "a sweep in two transactions", "saver/store/sweep.py", _DROP, _committed_after(_DROP, 8), _ONE_PLACE
    ),
    Patch(
        "there is no transaction",
        "saver/database/sqlite_connections.py",
        '"write": "BEGIN IMMEDIATE"',
        '"write": ""',
        _ONE_PLACE,
    ),
    Patch(
        "a commit does not wait for the disk",
        "saver/database/sqlite_connections.py",
        '"synchronous = FULL"',
        '"synchronous = OFF"',
        f"{_LEASES}::test_writes_wait_for_the_disk",
    ),
    Patch(
        "acknowledged before the commit",
        "saver/database/writer.py",
        "results = [job.work(connection) for job in jobs]",
        """results = [job.work(connection) for job in jobs]
                for job, result in zip(jobs[1:], results[1:], strict=True):
                    job.result, job.done = result, True
                    job.ready.release()""",
        f"{_SHARED_COMMIT}::test_no_operation_returns_before_the_commit",
    ),
    Patch(
        "acknowledged although the commit failed",
        "saver/database/writer.py",
        "_fail(jobs, self._database.storage_error(error) or StorageError(type(error).__name__))",
        "_fail(jobs, None)",
        f"{_SHARED_COMMIT}::test_a_commit_that_fails_is_everybodys_failure_and_the_next_one_works",
    ),
    Patch(
        "a stored body opens under any code",
        "saver/at_rest.py",
        "return code.encode() + owner_hash",
        "return owner_hash",
        f"{_AT_REST}::TestChangedRows::test_a_body_under_another_code_is_no_text[sqlite]",
    ),
    Patch(
        "a migration leaves SQLite's log as it was",
        "migrations/env.py",
        "    database.shrink_log()\n",
        "",
        "tests/store/test_canaries.py::test_a_migration_leaves_no_open_text_in_the_tables[sqlite]",
    ),
    Patch(
        "a migration forgets WITHOUT ROWID",
        "migrations/versions/0001_pool_and_texts.py",
        "sqlite_with_rowid=False,",
        "",
        "tests/store/test_migrations.py::test_the_pool_has_no_rowid_and_the_indexes_are_partial",
    ),
    Patch(
        "a backup gets its name before it is checked",
        "saver/ops/backup.py",
        "            audit = self._copy_and_verify(partial) if",
        "            target.hardlink_to(partial)\n            audit = self._copy_and_verify(partial) if",
        "tests/ops/test_backup.py::test_a_copy_that_breaks_a_rule_gets_no_name",
    ),
    Patch(
        "a text in a deleted file is acknowledged",
        "saver/database/sqlite_connections.py",
        "if is_write and file_connection(connection.connection).is_lost():",
        "if False:",
        f"{_FILE_GONE}::test_what_is_deleted_before_the_commit_is_not_acknowledged",
    ),
    Patch(
        "the quota is counted by two at once",
        "saver/store/quota.py",
        'self._database.lock(connection, "quota", *names)',
        "pass",
        "tests/api/test_idempotency.py::test_concurrent_writers_keep_to_the_quota",
    ),
    Patch(
        "a loaded text is markup",
        "extension/ui/loadedText.js",
        "      field.value = found.text;\n",
        '      field.value = found.text;\n      field.insertAdjacentHTML("beforebegin", found.text);\n',
        f"{_WAYS}::test_any_text_is_text_and_nothing_else[chromium-page-markup]",
    ),
    Patch(
        "an open text is shown in the place of a sealed one",
        "extension/core/reading.js",
        "    if (mustBeSealed) throw new NotSealed(false);\n",
        "",
        "tests/e2e/page/test_page_links.py::test_a_link_to_a_sealed_text_says_so",
    ),
    Patch(
        "the tag of the other side is not checked",
        "saver/live_transfer/exchange.py",
        "if not hmac.compare_digest(tag, self.expected):",
        "if len(tag) != len(self.expected):",
        "tests/unit/test_live_exchange.py",
    ),
    Patch(
        "a share of low order is taken",
        "saver/live_transfer/cpace.py",
        "        raise BadShareError from None\n"
        "    if product == bytes(SHARE_BYTES):\n"
        "        raise BadShareError\n",
        "        return bytes(SHARE_BYTES)\n",
        "tests/unit/test_live_exchange.py",
    ),
    Patch(
        "a tag is checked before it is counted",
        "saver/live_transfer/client.py",
        "checked=self.state.checked + 1",
        "checked=self.state.checked",
        "tests/unit/test_live_client.py::test_a_tag_is_counted_before_it_is_checked_and_an_attempt_before_it_is_sent",
    ),
    Patch(
        "an answer is bound to no session",
        "saver/meetings.py",
        "self._require(session == self.session and not self._is_maker(token))",
        "self._require(self.session is not None and not self._is_maker(token))",
        f"{_LIVE}::test_a_session_that_was_replaced_is_refused",
    ),
    Patch(
        "the tries of a meeting never end",
        "saver/meetings.py",
        "tries_left = self.tries_left - (self.joiner_hash is not None)",
        "tries_left = max(1, self.tries_left - (self.joiner_hash is not None))",
        f"{_LIVE}::test_three_wrong_answers_end_a_meeting",
    ),
    Patch(
        "a right answer refunds the wrong ones before it",
        "saver/meeting_service.py",
        'return f"live {number} {session.hex()}"',
        'return f"live {number}"',
        "tests/api/test_live_limits.py::test_a_wrong_answer_stays_a_miss_after_a_right_one",
    ),
    Patch(
        "letters after a number are loaded as a code",
        "extension/ui/loadPanel.js",
        "    if (startsWithNumber(field.value)) return loadLive();\n",
        "",
        "tests/e2e/page/test_page_live.py::test_what_begins_with_a_number_is_never_loaded",
    ),
    Patch(
        "a text is sent without a press",
        "extension/ui/liveEntry.js",
        "    waiting = liveCode;\n",
        "    waiting = liveCode;\n    sendButton.click();\n",
        "tests/e2e/page/test_page_live.py::test_receive_here_and_the_text_is_there",
    ),
]
