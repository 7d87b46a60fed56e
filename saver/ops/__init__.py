"""Operations: backup, restore, copy to a database server, check, health, metrics."""

from saver.ops.backup import BackupResult, Backups
from saver.ops.bring import Progress
from saver.ops.check import Check, CheckResult
from saver.ops.files import OperationError
from saver.ops.move import Moved, Mover
from saver.ops.operator_log import OperatorLog
from saver.ops.quarantine import Quarantine
from saver.ops.restore import RestorePolicy, Restorer, RestoreResult

__all__ = [
    "BackupResult",
    "Backups",
    "Check",
    "CheckResult",
    "Moved",
    "Mover",
    "OperationError",
    "OperatorLog",
    "Progress",
    "Quarantine",
    "RestorePolicy",
    "RestoreResult",
    "Restorer",
]
