"""Upkeep: back the database up, restore a backup, and tell an operator how the service is.

A database server has tools of its own for both; what it restored is made safe here. What a
restored database must be told of codes and texts is said by ``leases``.
"""

from saver.upkeep.backup import Backups, Made
from saver.upkeep.check import Check, Found
from saver.upkeep.files import UpkeepError
from saver.upkeep.restore import Restored, Restorer, Rules
from saver.upkeep.restored import Aftermath

__all__ = ["Aftermath", "Backups", "Check", "Found", "Made", "Restored", "Restorer", "Rules", "UpkeepError"]
