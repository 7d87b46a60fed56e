"""One Apache for each way to the service, for all tests that do it no harm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from saver.codes import Code
from tests.conftest import NO_LIMITS
from tests.servers.apache.client import Client
from tests.servers.apache.instance import Apache
from tests.servers.apache.pki import Authority
from tests.servers.apache.shipped import VARIANTS
from tests.support.snapshot import put_codes

MISSES = 5
# Of a client; the networks in the log end with 0.
FULL_ADDRESS = re.compile(r"\b127\.0\.0\.[1-9]")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with 2,000 free codes."""
    place = Path(shutil.copy(migrated, tmp_path_factory.mktemp("database") / "saver.db"))
    put_codes(place, [Code.nth(number * 3_600) for number in range(2_000)])
    return place


@pytest.fixture(scope="session", params=VARIANTS)
def apache(request: pytest.FixtureRequest, database: Path, authority: Authority) -> Iterator[Apache]:
    """An Apache in front of a service that lets each source miss five times a minute."""
    settings = {**NO_LIMITS, "misses_a_minute": MISSES}
    with Apache(request.param, database, authority, settings) as running:
        yield running
        assert not FULL_ADDRESS.search(running.said()), "a log holds a whole address"


@pytest.fixture
def https(apache: Apache) -> Client:
    return apache.client
