"""Upkeep: back the database up, restore a backup, move to a server, and tell an operator how the service is.

A database server has tools of its own to back up and restore; what it restored is made safe here. What a
restored or moved database must be told of codes and texts is said by ``leases``.
"""

from saver.upkeep.actions import Actions
from saver.upkeep.backup import Backups, Made
from saver.upkeep.bring import Progress
from saver.upkeep.check import Check, Found
from saver.upkeep.files import UpkeepError
from saver.upkeep.move import Moved, Mover
from saver.upkeep.restore import Restored, Restorer, Rules
from saver.upkeep.restored import Aftermath

__all__ = [
    "Actions",
    "Aftermath",
    "Backups",
    "Check",
    "Found",
    "Made",
    "Moved",
    "Mover",
    "Progress",
    "Restored",
    "Restorer",
    "Rules",
    "UpkeepError",
]
