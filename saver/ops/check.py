"""Tell an operator how the service is, a line for each thing that can be wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from saver.database import Database, StorageError
from saver.ops.copy_target import reason
from saver.ops.health import Readiness
from saver.ops.permissions import unsafe
from saver.ratelimit import CountersError
from saver.ratelimit.rules import RateLimits
from saver.store import TextStore

# The part of all codes below which the pool is low.
LOW_POOL = 0.1
# Beside room for one more database, which a backup or a restore needs.
_LEAST_BYTES = 256 << 20
# The part of the room for counts beyond which somebody is filling it.
_MUCH = 0.5


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The name of a check, whether it passed, and a line about what it found."""

    name: str
    passed: bool
    message: str


class Check:
    """Looks at everything; reads the whole database, which takes a second or two."""

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
        """Every finding, as it is made. A database that is away is a finding and no error."""
        looks: dict[str, Callable[[], tuple[bool, str]]] = {
            "database": self._file,
            "schema": self._schema,
            "codes": self._codes,
            "worker": self._sweeper,
            "disk": self._disk,
            "counts": self._counts,
            "files": self._files,
        }
        for name, look in looks.items():
            try:
                yield CheckResult(name, *look())
            except DBAPIError as error:
                yield CheckResult(name, False, f"cannot be read: {reason(error, self._database)}")
            except StorageError as error:
                yield CheckResult(name, False, f"cannot be read ({error})")
            except OSError as error:
                yield CheckResult(name, False, f"cannot be read ({type(error).__name__})")

    def _file(self) -> tuple[bool, str]:
        with self._database.engine.connect() as connection:
            faults = self._database.integrity_errors(connection)
            if self._database.is_read_only(connection):
                faults = ["accepts no writes: it was copied to a server", *faults]
        return not faults, "; ".join(faults) or "whole"

    def _schema(self) -> tuple[bool, str]:
        well = self._readiness.check()["schema"]
        return well, "up to date" if well else "not this version's: flask --app saver db upgrade"

    def _codes(self) -> tuple[bool, str]:
        audit = self._store.audit()
        if not audit.clean:
            return False, f"{audit.missing:,} missing, {audit.both:,} in two places"
        resting = audit.resting + audit.overdue
        message = f"{audit.free:,} of {audit.wanted:,} free, {audit.live:,} texts live, {resting:,} resting"
        return audit.free >= audit.wanted * LOW_POOL, message

    def _sweeper(self) -> tuple[bool, str]:
        age = self._readiness.beat_age()
        message = "it never swept" if age is None else f"the last sweep ended {max(0, age):.0f} s ago"
        return self._readiness.check()["sweeper"], message

    def _counts(self) -> tuple[bool, str]:
        try:
            misses, refusals = self._rate_limits.counts_today()
            secrets, fill = self._rate_limits.count_secret_keys(), self._rate_limits.used_fraction()
        except CountersError as error:
            return False, f"cannot be asked ({error})"
        if secrets > 1:
            return False, f"{secrets} servers' SAVER_SECRET_KEY differ: each counts apart from the others"
        message = f"{misses:,} misses and {refusals:,} refusals today"
        return (
            (True, message) if fill is None else (fill < _MUCH, f"{message}, {fill:.0%} of the room in use")
        )

    def _files(self) -> tuple[bool, str]:
        faults = unsafe(self._data_dir)
        return not faults, "; ".join(faults) or "nobody else may change them"

    def _disk(self) -> tuple[bool, str]:
        file = self._database.file
        free = shutil.disk_usage(self._data_dir).free
        if file is None:
            return free >= _LEAST_BYTES, f"{free >> 20:,} MiB free; the database's server looks after its own"
        size = file.stat().st_size if file.exists() else 0
        message = f"{free >> 20:,} MiB free, database {size >> 20:,} MiB"
        if not self._readiness.takes_writes():
            return False, f"{message}: writes are refused"
        return free >= size + _LEAST_BYTES, message
