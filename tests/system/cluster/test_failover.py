"""A standby takes over under load: no acknowledged text is lost, and the old primary accepts no writes."""

from __future__ import annotations

from tests.system.cluster.cluster import Cluster
from tests.system.cluster.failover import PairFaults
from tests.system.cluster.load import Load


def test_a_primary_that_is_cut_off_is_replaced_and_comes_back_as_the_standby(pair: Cluster) -> None:
    with Load(pair) as load:
        seen = PairFaults(pair, load).cause("primary-cut")
    # As patroni.yml has it: 20 seconds until the lock is free, and some to notice and to start.
    assert max(seen.gaps.values()) < 60, seen
    assert load.check() > 100
    pair.audit()
