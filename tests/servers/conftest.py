"""The web servers before the service; each is started when the first test asks for it."""

from __future__ import annotations

import re
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from saver.codes import Code
from tests.conftest import NO_LIMITS
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import PROXY, WSGI
from tests.servers.caddy.instance import Caddy
from tests.servers.client import Client
from tests.servers.nginx.instance import Nginx
from tests.servers.pki import Authority
from tests.servers.web_server import MISSES, WebServer
from tests.support.snapshot import put_codes

# Addresses of a client; in the log they end with 0.
FULL_ADDRESS = re.compile(r"\b127\.0\.0\.[1-9]")


@pytest.fixture(scope="session", autouse=True)
def many_files() -> None:
    """Hundreds of slow clients and their server have more connections than a login allows of files, 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def pool_file(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with 2,000 free codes."""
    place = Path(shutil.copy(migrated, tmp_path_factory.mktemp("database") / "saver.db"))
    put_codes(place, [Code.nth(number * 3_600) for number in range(2_000)])
    return place


@pytest.fixture(scope="session")
def web_servers(pool_file: Path, authority: Authority) -> Iterator[Callable[[str], WebServer]]:
    """Web servers by name, before a service that lets each source miss five times a minute."""
    settings = {**NO_LIMITS, "misses_a_minute": MISSES}
    started: dict[str, WebServer] = {}
    with ExitStack() as stack:

        def get(name: str) -> WebServer:
            if name not in started:
                if name == "nginx":
                    started[name] = stack.enter_context(Nginx(pool_file, authority, settings))
                elif name == "caddy":
                    started[name] = stack.enter_context(Caddy(pool_file, authority, settings))
                else:
                    started[name] = stack.enter_context(Apache(name, pool_file, authority, settings))
            return started[name]

        yield get
        for name, web_server in started.items():
            assert not FULL_ADDRESS.search(web_server.said()), f"a log of {name} holds a whole address"


@pytest.fixture(params=[WSGI, PROXY, "nginx", "caddy"])
def web_server(request: pytest.FixtureRequest, web_servers: Callable[[str], WebServer]) -> WebServer:
    return web_servers(request.param)


@pytest.fixture(params=[WSGI, PROXY, "nginx"])
def impersonating(request: pytest.FixtureRequest, web_servers: Callable[[str], WebServer]) -> WebServer:
    """A web server that can be made to see any address; Debian's Caddy has no module for it."""
    return web_servers(request.param)


@pytest.fixture(params=[WSGI, PROXY, "nginx"])
def with_acme_folder(request: pytest.FixtureRequest, web_servers: Callable[[str], WebServer]) -> WebServer:
    """A web server that answers challenges from the folder of certbot; Caddy answers its own."""
    return web_servers(request.param)


@pytest.fixture
def https(web_server: WebServer) -> Client:
    return web_server.client
