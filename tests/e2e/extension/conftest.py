"""Browsers for a whole run, cleaned before each test; each test has its own network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.driver import EXTENSION, Driver
from tests.e2e.extension.firefox import Firefox
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.user import Surface, User
from tests.support.server import ROOT, Server

BROWSERS = ("chromium", "firefox")
SURFACES = ("popup", "page")
Browsers = Callable[..., Driver]


@pytest.fixture(scope="package")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    """Browsers by name, language and extension, each started when it is first asked for.

    They end with this folder's last test: two Playwrights at once do not run in one thread.
    """
    started: dict[tuple[str, str, Path], Driver] = {}
    playwrights: list[Playwright] = []

    def start(name: str, language: str, extension: Path) -> Driver:
        folder = tmp_path_factory.mktemp(name)
        if name == "firefox":
            return Firefox(folder, extension, language)
        if not playwrights:
            playwrights.append(sync_playwright().start())
        return Chromium(playwrights[0], folder, extension, language)

    def get(name: str, language: str = "en-US", extension: Path = EXTENSION) -> Driver:
        key = (name, language, extension)
        if key not in started:
            started[key] = start(*key)
        return started[key]

    yield get
    for driver in started.values():
        driver.quit()
    for playwright in playwrights:
        playwright.stop()


@pytest.fixture
def network(live_server: Server) -> Iterator[Relay]:
    with Relay(live_server.url) as relay:
        yield relay


@pytest.fixture(params=BROWSERS)
def driver(request: pytest.FixtureRequest, browsers: Browsers) -> Driver:
    found = browsers(request.param)
    found.clean()
    return found


@pytest.fixture(params=SURFACES)
def surface(request: pytest.FixtureRequest) -> Surface:
    found: Surface = request.param
    return found


@pytest.fixture
def user(driver: Driver, surface: Surface, network: Relay) -> User:
    """A user in each browser, at the popup and at the page."""
    return User(driver, surface, network).set().open()


@pytest.fixture
def popup_user(driver: Driver, network: Relay) -> User:
    """A user in each browser, at the popup."""
    return User(driver, "popup", network).set().open()


@pytest.fixture(scope="session")
def words() -> dict[str, dict[str, str]]:
    """The messages, by language."""
    folder = ROOT / "extension" / "ui"
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("en", "ko")}


@pytest.fixture
def en(words: dict[str, dict[str, str]]) -> dict[str, str]:
    return words["en"]
