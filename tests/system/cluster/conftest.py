"""Several servers in network namespaces, as `python -m tests.system.cluster up` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.system.cluster.cluster import Cluster, missing_packages, running
from tests.system.cluster.faults import SETTINGS

BELOW = "/memo"


def a_cluster(name: str, *, pair: bool = False, below: str = "") -> AbstractContextManager[Cluster]:
    """A cluster for tests; if it cannot be started, they fail and say why."""
    if os.geteuid() != 0:
        pytest.fail("several servers are network namespaces here: run ./scripts/test as root", pytrace=False)
    if missing := missing_packages(pair=pair):
        pytest.fail(f"there is something missing: apt-get install -y {' '.join(missing)}", pytrace=False)
    return running(f"test-{name}-{os.getpid()}", pair=pair, below=below, settings=SETTINGS)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL, the service below a path."""
    with a_cluster("one", below=BELOW) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def pair() -> Iterator[Cluster]:
    """Two PostgreSQL under Patroni."""
    with a_cluster("two", pair=True) as cluster:
        yield cluster
