"""A shared nginx, for tests that do not stop or change it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.client import Client
from tests.servers.nginx.instance import Nginx
from tests.servers.web_server import WebServer


@pytest.fixture
def nginx(web_servers: Callable[[str], WebServer]) -> Nginx:
    found = web_servers("nginx")
    assert isinstance(found, Nginx)
    return found


@pytest.fixture
def https(nginx: Nginx) -> Client:
    return nginx.client
