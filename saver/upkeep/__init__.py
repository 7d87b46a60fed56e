"""Upkeep: back the database up, restore a backup, and tell an operator how the service is.

Only for a database that is a file: a database server has tools of its own. What a
restored database must be told of codes and texts is said by ``leases``.
"""

from saver.upkeep.backup import Backups, Made
from saver.upkeep.check import Check, Found
from saver.upkeep.files import UpkeepError
from saver.upkeep.restore import Restored, Restorer, Rules

__all__ = ["Backups", "Check", "Found", "Made", "Restored", "Restorer", "Rules", "UpkeepError"]
