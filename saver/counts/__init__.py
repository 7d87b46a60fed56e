"""Counts for budgets, exact for all who count in the same place.

``shared``: a file, for all processes of one machine. ``redis``: a Redis, for several
machines. Both are storages of ``limits``, so that a URL names them; beyond what that
asks for they charge, refund and read many counts in one step.
"""

from saver.counts.base import Charge, Charged, Counts, CountsError, Taken
from saver.counts.safe import SafeCounts

__all__ = ["Charge", "Charged", "Counts", "CountsError", "SafeCounts", "Taken"]
