"""Upkeep: back the database up, restore a backup, move to a server, and tell an operator how the service is.

A database server has tools of its own to back up and restore; what it restored is made safe here. What a
restored or moved database must be told of codes and texts is said by ``leases``.
"""

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
