"""Replace a PostgreSQL database by one of its backups, while the service is stopped."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError, ProgrammingError

from saver.database import ONE_READ, Database, StorageError, dump
from saver.database.dump import DumpError, Environment
from saver.installation import PROGRAM
from saver.ops.files import OperationError
from saver.ops.quarantine import Quarantine, refuse_in_use
from saver.ops.restore import RestoreResult
from saver.ops.restore_policy import RestorePolicy
from saver.ops.schema import require_head, require_schema

_OTHER_SCHEMA = "restore with the saver that made the backup, into its own or an empty database, then upgrade"
_NEEDS_LOST = (
    "after a restore nobody can tell which codes were leased since the backup. With --lost no code is leased"
    " for the next {seconds:,} seconds, and texts that were deleted since are there again (docs/operating.md)"
)


class DumpRestorer:
    """Replaces one database by its dumps."""

    def __init__(
        self, database: Database, policy: RestorePolicy, quarantine: Quarantine, environment: Environment
    ) -> None:
        """``environment`` makes the environment of pg_restore."""
        self._database = database
        self._policy = policy
        self._quarantine = quarantine
        self._environment = environment

    def restore(self, backup: Path, *, lost: bool = False, quarantine: int | None = None) -> RestoreResult:
        """Replace the tables by those of ``backup``, and then let every code cool down; see ``Quarantine``.

        Without ``lost`` it is refused. Raises OperationError and StorageError.
        """
        try:
            self._check(backup, lost=lost)
            self._database.engine.dispose()
            dump.restore(self._database.engine, backup, self._environment)
        except DumpError as error:
            raise OperationError(f"nothing was changed: {error}") from None
        try:
            return self._quarantine.run(quarantine)
        except (OperationError, StorageError, DBAPIError) as error:
            raise OperationError(
                f"the backup is restored, but its codes do not cool down ({error}):"
                f" run {PROGRAM} restore-finish before the service starts"
            ) from None

    def _check(self, backup: Path, *, lost: bool) -> None:
        """Raise OperationError unless the backup has this version's schema and nobody is connected."""
        if not backup.is_file():
            raise OperationError(f"there is no file {backup}")
        version = dump.schema_in(backup, self._environment)
        require_head(version, self._policy.head, backup.name, _OTHER_SCHEMA)
        with self._database.engine.connect().execution_options(**ONE_READ) as connection:
            refuse_in_use(self._database, connection)
            # An empty database has no table to ask. The tables that only another version has would stay.
            with suppress(ProgrammingError):
                require_schema(connection, self._policy.head, "the database", _OTHER_SCHEMA)
        if not lost:
            raise OperationError(_NEEDS_LOST.format(seconds=self._policy.quarantine))
