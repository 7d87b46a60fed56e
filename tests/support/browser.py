"""A browser, and visitors of the page. ``tests/e2e/page/conftest.py`` makes the fixtures known."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Route,
    expect,
    sync_playwright,
)

from tests.support.server import Server

# A longer timeout costs nothing when all is well; Playwright's five seconds are too short on a busy machine.
expect.set_options(timeout=30_000)

LOCALES = {"en": "en-US", "ko": "ko-KR"}
# The browser must not connect to the internet.
ARGS = [
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Visit:
    """A visitor of the page, and the errors and requests that the browser reported."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.context = context
        self.page = context.new_page()
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str = "/") -> Visit:
        """Go to the page and wait until its script has run."""
        self.page.goto(self.url + path)
        expect(self.page.locator("html[data-ready]")).to_have_count(1)
        return self

    def options(self) -> Visit:
        """Open the options of a new text, if they are not open."""
        if self.part("options").is_hidden():
            self.part("options-toggle").click()
        return self

    def limits(self, document: dict[str, object]) -> None:
        """Serve the page with other limits in it."""
        embedded = json.dumps(document).replace("<", "\\u003c")

        def answer(route: Route) -> None:
            response = route.fetch()
            page = re.sub(r'(id="limits">)[^<]*', lambda found: found[1] + embedded, response.text())
            route.fulfill(response=response, body=page)

        self.page.route(f"{self.url}/", answer)

    def part(self, name: str) -> Locator:
        """A part of the page, by the name in its markup."""
        return self.page.locator(f'[data-part="{name}"]')

    def save(self, text: str, password: str = "", *, once: bool = False) -> str:
        """Save a text; its code."""
        self.part("text").fill(text)
        if password or once or self.part("options").is_visible():
            self.options().part("password").fill(password)
            self.part("once").set_checked(once)
        self.part("save").click()
        expect(self.part("copy-code")).to_be_focused()
        return self.part("code").inner_text()

    def load(self, code: str) -> None:
        """Ask for the text under a code."""
        self.part("code-field").fill(code)
        self.part("load").click()

    def unlock(self, code: str, password: str) -> None:
        """Load a text with a password: the first try is refused, then fill in the password and try again."""
        self.load(code)
        self.part("has-password").click()
        expect(self.part("load-password")).to_be_focused()
        self.part("load-password").fill(password)
        self.part("load").click()

    def answer(self, path: str, status: int, document: object = None, **headers: str) -> None:
        """Replace the service's answers to this path from now on."""
        self.page.route(
            f"**/api/v1/{path}",
            lambda route: route.fulfill(status=status, json=document, headers=headers),
        )

    def clipboard(self) -> str:
        """What was copied."""
        copied: str = self.page.evaluate("navigator.clipboard.readText()")
        return copied

    def expect_no_trouble(self) -> None:
        """There were no errors and no requests to another host, and nothing is left in the browser."""
        elsewhere = [url for url in self.asked if not url.startswith(f"{self.url}/")]
        # A draft and tried letters are stored for a reload, the language for the next visit; nothing else is.
        left = self.page.evaluate(
            """async () => [
                ...Object.keys(localStorage).filter((key) => key !== "lang"),
                ...Object.keys(sessionStorage).filter(
                    (key) => !["draft", "outbox", "written", "liveAttempts"].includes(key),
                ),
                ...(await indexedDB.databases()),
            ]"""
        )
        for what in (self.faults, elsewhere, self.context.cookies(), left):
            assert not what, what

    def _hear(self, message: ConsoleMessage) -> None:
        # The console also reports error answers, and preloads that a slow machine uses late.
        is_harmless = message.text.startswith("Failed to load resource") or "was preloaded" in message.text
        if message.type in ("error", "warning") and not is_harmless:
            self.faults.append(message.text)


Visiting = Callable[..., Visit]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        # The system's Chromium, or else the one that Playwright installed.
        found = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).exists():
            pytest.fail(
                "There is no Chromium to test the page with: ./scripts/test --all installs it, or says how",
                pytrace=False,
            )
        browser = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, live_server: Server) -> Iterator[Visiting]:
    """Visitors, each with a new browser profile.

    At the end there must be no errors, no requests to another host, and nothing left in the browser.
    """
    visits: list[Visit] = []

    def new(language: str = "en", **options: object) -> Visit:
        clipboard = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(locale=LOCALES[language], permissions=clipboard, **options)  # type: ignore[arg-type]
        visits.append(Visit(context, live_server.url))
        return visits[-1]

    yield new
    for each in visits:
        each.expect_no_trouble()
        each.context.close()
