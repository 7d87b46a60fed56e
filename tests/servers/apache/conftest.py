"""A shared Apache for each variant, for tests that do not stop or change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import VARIANTS
from tests.servers.client import Client
from tests.servers.web_server import WebServer


@pytest.fixture
def database(pool_file: Path) -> Path:
    return pool_file


@pytest.fixture(params=VARIANTS)
def apache(request: pytest.FixtureRequest, web_servers: Callable[[str], WebServer]) -> Apache:
    found = web_servers(request.param)
    assert isinstance(found, Apache)
    return found


@pytest.fixture
def https(apache: Apache) -> Client:
    return apache.client
