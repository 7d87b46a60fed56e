"""An nginx for all tests that do it no harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.client import Client
from tests.servers.front import Front
from tests.servers.nginx.instance import Nginx


@pytest.fixture
def nginx(fronts: Callable[[str], Front]) -> Nginx:
    found = fronts("nginx")
    assert isinstance(found, Nginx)
    return found


@pytest.fixture
def https(nginx: Nginx) -> Client:
    return nginx.client
