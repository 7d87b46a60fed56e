"""An Apache for each way to the service, for all tests that do it no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import VARIANTS
from tests.servers.client import Client
from tests.servers.front import Front


@pytest.fixture
def database(pool_file: Path) -> Path:
    return pool_file


@pytest.fixture(params=VARIANTS)
def apache(request: pytest.FixtureRequest, fronts: Callable[[str], Front]) -> Apache:
    found = fronts(request.param)
    assert isinstance(found, Apache)
    return found


@pytest.fixture
def https(apache: Apache) -> Client:
    return apache.client
