"""A shared Caddy, for tests that do not stop or change it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.caddy.instance import Caddy
from tests.servers.client import Client
from tests.servers.web_server import WebServer


@pytest.fixture
def caddy(web_servers: Callable[[str], WebServer]) -> Caddy:
    found = web_servers("caddy")
    assert isinstance(found, Caddy)
    return found


@pytest.fixture
def https(caddy: Caddy) -> Client:
    return caddy.client
