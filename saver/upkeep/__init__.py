"""Upkeep: back the database up, restore a backup, move to a server, and tell an operator how the service is.

Backups are for a database that is a file: a database server has tools of its own. What a
restored or moved database must be told of codes and texts is said by ``leases``.
"""

from saver.upkeep.backup import Backups, Made
from saver.upkeep.bring import Progress
from saver.upkeep.check import Check, Found
from saver.upkeep.files import UpkeepError
from saver.upkeep.move import Moved, Mover
from saver.upkeep.restore import Restored, Restorer, Rules

__all__ = [
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
