"""Counts for budgets, exact for all who count in the same place.

``shared``: a file, for all processes of one machine. ``redis``: a Redis, for several
machines. Both are storages of ``limits``, so that a URL names them; beyond what that
asks for they charge, refund and read many counts in one step.
"""

from saver.ratelimit.counters import Charge, Charged, Counters, CountersError, Taken
from saver.ratelimit.safe import SafeCounters

__all__ = ["Charge", "Charged", "Counters", "CountersError", "SafeCounters", "Taken"]
