"""Rate limits, exact for all processes that count in the same place.

``rules`` says what is limited, ``lookups`` charges and refunds one look-up. ``mapped_file`` counts for all
processes of one machine, ``redis`` for several machines; ``counters`` is the protocol that both implement.
"""

from saver.ratelimit.counters import Charge, ChargeResult, Counters, CountersError, UsedCredit
from saver.ratelimit.safe import SafeCounters

__all__ = ["Charge", "ChargeResult", "Counters", "CountersError", "SafeCounters", "UsedCredit"]
