"""Operations: backup, restore, copy to a database server, check, health, metrics."""

from saver.ops.backup import BackupResult, Backups
from saver.ops.check import Check, CheckResult, describe_unreadable
from saver.ops.copy_to_server import CopyResult, CopyToServer, Progress
from saver.ops.files import OperationError
from saver.ops.operator_log import OperatorLog
from saver.ops.quarantine import Quarantine
from saver.ops.restore import Restorer, RestoreResult
from saver.ops.restore_dump import DumpRestorer
from saver.ops.restore_policy import RestorePolicy

__all__ = [
    "BackupResult",
    "Backups",
    "Check",
    "CheckResult",
    "CopyResult",
    "CopyToServer",
    "DumpRestorer",
    "OperationError",
    "OperatorLog",
    "Progress",
    "Quarantine",
    "RestorePolicy",
    "RestoreResult",
    "Restorer",
    "describe_unreadable",
]
