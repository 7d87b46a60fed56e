"""One nginx for all tests that do it no harm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from saver.codes import Code
from tests.conftest import NO_LIMITS
from tests.servers.apache.client import Client
from tests.servers.apache.pki import Authority
from tests.servers.nginx.instance import Nginx
from tests.support.snapshot import put_codes

MISSES = 5
# Of a client; the networks in the log end with 0.
FULL_ADDRESS = re.compile(r"\b127\.0\.0\.[1-9]")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with 2,000 free codes."""
    place = Path(shutil.copy(migrated, tmp_path_factory.mktemp("database") / "saver.db"))
    put_codes(place, [Code.nth(number * 3_600) for number in range(2_000)])
    return place


@pytest.fixture(scope="session")
def nginx(file: Path, authority: Authority) -> Iterator[Nginx]:
    """An nginx in front of a service that lets each source miss five times a minute."""
    with Nginx(file, authority, {**NO_LIMITS, "misses_a_minute": MISSES}) as running:
        yield running
        assert not FULL_ADDRESS.search(running.said()), "a log holds a whole address"


@pytest.fixture
def https(nginx: Nginx) -> Client:
    return nginx.client
