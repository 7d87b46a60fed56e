"""Firefox through Marionette, which is built into it: no other program is needed."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from marionette_driver.addons import Addons
from marionette_driver.by import By
from marionette_driver.keys import Keys
from marionette_driver.marionette import ActionSequence, Marionette, MouseButton

from tests.e2e.extension import firefox_scripts as scripts
from tests.e2e.extension.driver import CLEAR, OFFICE, WIDE, Driver, Size, welcomes
from tests.support.process import free_port, wait_until

_UUID = "5a7e4a11-0000-4000-8000-000000000004"
_KEYS = {
    "Enter": Keys.ENTER,
    "Tab": Keys.TAB,
    "Shift": Keys.SHIFT,
    "Control": Keys.CONTROL,
    "Alt": Keys.ALT,
    "Escape": Keys.ESCAPE,
    "Space": " ",
    "ArrowLeft": Keys.LEFT,
    "ArrowRight": Keys.RIGHT,
    "ArrowUp": Keys.UP,
    "ArrowDown": Keys.DOWN,
    "Home": Keys.HOME,
    "End": Keys.END,
    "Delete": Keys.DELETE,
    "Backspace": Keys.BACK_SPACE,
}
_SCRIPT_TIMEOUT = 60


class Firefox(Driver):
    """One process with one profile; the extension is installed for as long as it runs."""

    name = "firefox"

    def __init__(self, folder: Path, extension: Path | None, language: str = "en-US") -> None:
        found = shutil.which("firefox-esr")
        if not found:
            pytest.fail(
                "There is no Firefox to test with: ./scripts/test --all installs it, or says how",
                pytrace=False,
            )
        manifest = json.loads((extension / "manifest.json").read_text("utf-8")) if extension else {}
        self._id: str = manifest["browser_specific_settings"]["gecko"]["id"] if extension else ""
        self._base = f"moz-extension://{_UUID}/" if extension else ""
        self._browser = Marionette(
            bin=found,
            port=free_port(),
            headless=True,
            socket_timeout=_SCRIPT_TIMEOUT + 30,
            gecko_log=str(folder / "firefox.log"),
            workspace=str(folder),
            prefs={
                # So that the URL of its pages is known.
                "extensions.webextensions.uuids": json.dumps({self._id: _UUID}),
                "intl.accept_languages": language,
                # A mouse that can hover, which a headless browser does not have.
                "ui.primaryPointerCapabilities": 6,
                "ui.allPointerCapabilities": 6,
            },
        )
        self._browser.start_session()
        self._browser.timeout.script = _SCRIPT_TIMEOUT
        # No test uses the first tab: the extension's API can be called there.
        self._office: str = self._browser.current_window_handle
        self._pages: list[str] = []
        self._look: tuple[bool, Size] = (False, WIDE)
        if extension:
            self._chrome(scripts.LOCALES, language[:2])
            Addons(self._browser).install(path=str(extension), temp=True)
            self._browser.navigate(self._base + OFFICE)
            if welcomes(extension):
                wait_until(lambda: len(self._browser.window_handles) > 1, "it welcomes")

    # The page

    def open(self, address: str, *, over: bool = False) -> None:
        self._chrome(scripts.CLOSE_POPUP)
        if self._pages and not over:
            self.close()
        self._pages.append(self._browser.open(type="tab", focus=True)["handle"])
        self._browser.switch_to_window(self._pages[-1])
        self.dress(dark=self._look[0], size=self._look[1])
        self._browser.navigate(address if "://" in address else self._base + address)

    def close(self) -> None:
        self._browser.switch_to_window(self._pages.pop(), focus=False)
        self._browser.close()
        self._browser.switch_to_window(self._pages[-1] if self._pages else self._office)

    def evaluate(self, function: str, *arguments: object) -> Any:
        return self._call(function, arguments)

    def click(self, selector: str) -> None:
        self._browser.find_element(By.CSS_SELECTOR, selector).click()

    def type(self, text: str) -> None:
        ActionSequence(self._browser, "key", "keys").send_keys(text).perform()

    def press(self, key: str) -> None:
        names = [_KEYS.get(name, name) for name in key.split("+")]
        sequence = ActionSequence(self._browser, "key", "keys")
        for name in names:
            sequence.key_down(name)
        for name in reversed(names):
            sequence.key_up(name)
        sequence.perform()

    def dress(self, *, dark: bool = False, size: Size = WIDE) -> None:
        self._look = (dark, size)
        self._browser.set_pref("layout.css.prefers-color-scheme.content-override", 0 if dark else 1)
        if self._pages:
            self._chrome(scripts.SIZE, *size)
            width = "() => innerWidth"
            wait_until(lambda: self.evaluate(width) == size[0], f"the page is {size[0]} wide")

    # The computer

    def copied(self) -> str:
        text: str = self._chrome(scripts.COPIED)
        return text

    def copy(self, text: str) -> None:
        self._chrome(scripts.COPY, text)

    # The extension

    def inside(self, function: str, *arguments: object) -> Any:
        self._browser.switch_to_window(self._office, focus=False)
        try:
            return self._call(function, arguments)
        finally:
            if self._pages:
                self._browser.switch_to_window(self._pages[-1], focus=False)

    def choose(self, item: str, element: str) -> None:
        found = self._browser.find_element(By.CSS_SELECTOR, element)
        ActionSequence(self._browser, "pointer", "mouse").click(found, MouseButton.RIGHT).perform()
        self._chrome(scripts.CHOOSE, item)

    def command(self, name: str) -> None:
        self._chrome(scripts.COMMAND, self._id, name)

    def lend(self) -> int:
        number: int = self._chrome(scripts.LEND, self._id)
        return number

    def press_in_popup(self, *keys: str) -> None:
        self._chrome(scripts.PRESS_IN_POPUP, list(keys))

    def kill_background(self) -> None:
        self._chrome(scripts.KILL, self._id)

    # The browser

    def clean(self) -> None:
        self._chrome(scripts.CLOSE_POPUP)
        self._pages = []
        for handle in self._browser.window_handles:
            if handle != self._office:
                self._browser.switch_to_window(handle, focus=False)
                self._browser.close()
        self._browser.switch_to_window(self._office)
        self.dress()
        if self._base:
            self.inside(CLEAR)
        self.copy("")

    def quit(self) -> None:
        self._browser.quit()
        self._browser.cleanup()
        # Its profiles delete themselves when they are collected, which fails when Python itself ends.
        del self._browser
        gc.collect()

    def _call(self, function: str, arguments: tuple[object, ...]) -> Any:
        # Without a sandbox, so that the function sees the page's globals as the page does.
        return self._browser.execute_script(
            f"return ({function})(...arguments)", list(arguments), sandbox=None
        )

    def _chrome(self, function: str, *arguments: object) -> Any:
        """Call a function in the browser's own window."""
        with self._browser.using_context("chrome"):
            return self._browser.execute_script(
                f"return ({function})(...arguments)", list(arguments), sandbox="system"
            )
