"""Rate limits, exact for all processes that count in the same place.

``rules`` says what is limited, ``lookups`` settles one look-up. ``mapped_file`` counts for all processes
of one machine, ``redis`` for several machines.
"""

from saver.ratelimit.counters import Charge, Charged, Counters, CountersError, Taken
from saver.ratelimit.safe import SafeCounters

__all__ = ["Charge", "Charged", "Counters", "CountersError", "SafeCounters", "Taken"]
