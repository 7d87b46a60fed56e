"""A user who saves and loads, in the popup or on the page at ``/``, which have the same panels."""

from __future__ import annotations

import re
from typing import Literal

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.part import Moved, Part
from tests.e2e.extension.relay import Relay
from tests.support.process import wait_until

Surface = Literal["popup", "page"]
_CODE = re.compile("[a-zA-Z]{4}")
_READY = {
    "popup": "() => document.documentElement.dataset.ready !== undefined",
    "page": "() => document.documentElement.dataset.ready !== undefined",
}


class User:
    """A browser, a surface and a network."""

    def __init__(self, driver: Driver, surface: Surface, network: Relay) -> None:
        self.driver = driver
        self.surface = surface
        self.network = network

    def set(self, **settings: object) -> User:
        """Set these settings, and this network's service."""
        if self.surface == "popup":
            self.driver.store(settings={"server": f"{self.network.url}/", **settings})
        return self

    def open(self, path: str = "/") -> User:
        """Open the popup or the page, and wait until it is ready."""
        self.driver.open(self.network.url + path if self.surface == "page" else "popup.html")
        return self.wait()

    def open_settings(self) -> None:
        """Open the settings page, and wait until it is ready."""
        self.driver.open("options.html")
        self.part("server").holds(f"{self.network.url}/")

    def wait(self) -> User:
        """Wait until the popup or the page is ready."""
        wait_until(self._is_ready, f"the {self.surface} is ready")
        return self

    def _is_ready(self) -> bool:
        try:
            return bool(self.driver.evaluate(_READY[self.surface]))
        except Moved:
            return False

    def close(self) -> None:
        """Close it."""
        self.driver.close()

    def part(self, name: str) -> Part:
        """A part of it."""
        return self.driver.part(name)

    def turn(self, tab: str) -> None:
        """Switch to a tab of the popup; the page has only the content of the first tab."""
        if self.surface == "popup":
            self.part(f"tab-{tab}").click()

    def open_options(self) -> None:
        """Open the options, if they are not open."""
        if not self.part("options").now.visible:
            self.part("options-toggle").click()
        self.part("options").appears()

    def write(self, text: str, password: str = "", *, once: bool = False) -> None:
        """Fill in what is to be saved."""
        self.turn("text")
        if self.part("saved").now.visible:
            self.part("again").click()
        self.part("text").fill(text)
        if password or once or self.part("options").now.visible:
            self.open_options()
            self.part("password").fill(password)
            self.part("once").check(once)

    def save(self, text: str, password: str = "", *, once: bool = False) -> str:
        """Save a text; its code."""
        self.write(text, password, once=once)
        self.part("save").click()
        return self.code()

    def code(self) -> str:
        """The code that is shown after saving."""
        self.part("saved-heading").appears()
        return self.part("code").now.text

    def load(self, code: str) -> None:
        """Ask for the text under a code."""
        self.turn("text")
        self.part("code-field").fill(code)
        # Four letters load without a click.
        if not _CODE.fullmatch(code):
            self.part("load").click()

    def unlock(self, code: str, password: str) -> None:
        """Ask for a text with a password: the first try is refused, then fill in the password."""
        self.load(code)
        self.part("has-password").click()
        self.part("load-password").has_focus()
        self.part("load").is_ready()
        self.part("load-password").fill(password)
        self.part("load").click()

    def reads(self, text: str) -> None:
        """Exactly this text is shown."""
        self.part("loaded").appears()
        self.part("loaded-text").holds(text)

    def shows_error(self, panel: str, message: str | re.Pattern[str]) -> None:
        """A panel shows this error."""
        self.part(f"{panel}-alert").says(message)
