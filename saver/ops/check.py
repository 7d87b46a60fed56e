"""Check the service for an operator: one line for each thing that can be wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from saver.database import Database, StorageError
from saver.installation import PROGRAM
from saver.ops.copy_target import describe_error
from saver.ops.health import Readiness
from saver.ops.permissions import permission_errors
from saver.ratelimit import CountersError
from saver.ratelimit.rules import RateLimits
from saver.store import TextStore

# The fraction of free codes below which the pool is low.
LOW_POOL = 0.1
# In addition to space for a second database, which a backup or a restore needs.
_MIN_FREE_BYTES = 256 << 20
# With a larger fraction of the counters' space in use, somebody is probably filling it on purpose.
_MAX_USED_FRACTION = 0.5


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The name of a check, whether it passed, and its message in one line."""

    name: str
    passed: bool
    message: str


def describe_unreadable(texts: int) -> str:
    """Say that so many live texts cannot be decrypted, and what helps."""
    return (
        f"{texts:,} live texts cannot be opened: their secret key is not known here. Put it into"
        " SAVER_OLD_SECRET_KEYS or into a file secret_key.old; if it is lost, so are they"
    )


class Check:
    """Runs all checks; reads the whole database, which takes a second or two."""

    def __init__(
        self,
        database: Database,
        store: TextStore,
        readiness: Readiness,
        data_dir: Path,
        rate_limits: RateLimits,
    ) -> None:
        self._database = database
        self._store = store
        self._readiness = readiness
        self._data_dir = data_dir
        self._rate_limits = rate_limits

    def run(self) -> Iterator[CheckResult]:
        """Yield the result of each check. An unreachable database is a failed check, not an exception."""
        checks: dict[str, Callable[[], tuple[bool, str]]] = {
            "database": self._check_database,
            "schema": self._check_schema,
            "codes": self._check_codes,
            "keys": self._check_keys,
            "worker": self._check_worker,
            "disk": self._check_disk,
            "counts": self._check_counters,
            "files": self._check_files,
        }
        for name, check in checks.items():
            try:
                yield CheckResult(name, *check())
            except DBAPIError as error:
                yield CheckResult(name, False, f"cannot be read: {describe_error(error, self._database)}")
            except StorageError as error:
                yield CheckResult(name, False, f"cannot be read ({error})")
            except OSError as error:
                yield CheckResult(name, False, f"cannot be read ({type(error).__name__})")

    def _check_database(self) -> tuple[bool, str]:
        with self._database.engine.connect() as connection:
            errors = self._database.integrity_errors(connection)
            if self._database.is_read_only(connection):
                errors = ["accepts no writes: it was copied to a server", *errors]
        return not errors, "; ".join(errors) or "whole"

    def _check_schema(self) -> tuple[bool, str]:
        is_current = self._readiness.check()["schema"]
        return is_current, "up to date" if is_current else f"not this version's: {PROGRAM} db upgrade"

    def _check_codes(self) -> tuple[bool, str]:
        audit = self._store.audit()
        if not audit.is_consistent:
            return False, f"{audit.missing:,} missing, {audit.duplicated:,} in two places"
        cooling_down = audit.cooling_down + audit.not_wiped
        message = (
            f"{audit.free:,} of {audit.pool_size:,} free, {audit.live:,} texts live, {cooling_down:,} resting"
        )
        return audit.free >= audit.pool_size * LOW_POOL, message

    def _check_keys(self) -> tuple[bool, str]:
        texts = self._store.count_by_key()
        if texts.unknown:
            return False, describe_unreadable(texts.unknown)
        old = f", {texts.old:,} of them under an old one" if texts.old else ""
        return True, f"{texts.current + texts.old:,} live texts open with the known keys{old}"

    def _check_worker(self) -> tuple[bool, str]:
        age = self._readiness.heartbeat_age()
        message = "it never swept" if age is None else f"the last sweep ended {max(0, age):.0f} s ago"
        return self._readiness.check()["sweeper"], message

    def _check_counters(self) -> tuple[bool, str]:
        try:
            misses, refusals = self._rate_limits.counts_today()
            secret_keys = self._rate_limits.count_secret_keys()
            used = self._rate_limits.used_fraction()
        except CountersError as error:
            return False, f"cannot be asked ({error})"
        if secret_keys > 1:
            return False, f"{secret_keys} servers' SAVER_SECRET_KEY differ: each counts apart from the others"
        message = f"{misses:,} misses and {refusals:,} refusals today"
        if used is None:
            return True, message
        return used < _MAX_USED_FRACTION, f"{message}, {used:.0%} of the room in use"

    def _check_files(self) -> tuple[bool, str]:
        errors = permission_errors(self._data_dir)
        return not errors, "; ".join(errors) or "nobody else may change them"

    def _check_disk(self) -> tuple[bool, str]:
        file = self._database.file
        free = shutil.disk_usage(self._data_dir).free
        if file is None:
            return (
                free >= _MIN_FREE_BYTES,
                f"{free >> 20:,} MiB free; the database's server looks after its own",
            )
        size = file.stat().st_size if file.exists() else 0
        message = f"{free >> 20:,} MiB free, database {size >> 20:,} MiB"
        if not self._readiness.accepts_writes():
            return False, f"{message}: writes are refused"
        return free >= size + _MIN_FREE_BYTES, message
