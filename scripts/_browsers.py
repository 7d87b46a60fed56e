"""Chromium and Firefox with the extension, each with a profile of its own, for scripts/screenshots."""

from __future__ import annotations

import contextlib
import gc
import json
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from marionette_driver.addons import Addons
from marionette_driver.marionette import Marionette
from playwright.sync_api import Page, sync_playwright

PATIENCE = 60
# Firefox gives each extension an address at random unless one is set.
_UUID = "5a7e4a11-0000-4000-8000-000000000005"
# Before the extension is installed, which keeps the language that it was started in.
_SET_LANGUAGE = """Services.locale.availableLocales = ["ko", "en-US"];
Services.locale.requestedLocales = [arguments[0] === "ko" ? "ko" : "en-US"];"""
# The page, not the window: a window of Firefox is never as narrow as a popup.
_SIZE = """const { style } = gBrowser.selectedBrowser;
const sides = [...arguments].map((side) => `${side}px`);
[style.minWidth, style.minHeight] = [style.maxWidth, style.maxHeight] = sides;"""
POPUP_WIDTH = 392
# The service's address in the pictures; the browsers resolve it to a port of this computer.
SERVICE = "https://saver.example/"
HOST = "saver.example"


class Browser(ABC):
    """``with Chromium(extension, folder) as browser: browser.open("popup.html")``."""

    name: str
    version: str

    @abstractmethod
    def open(self, address: str) -> None:
        """Open a page in a new tab, in place of the one before: a URL, or a file of the extension."""

    @abstractmethod
    def evaluate(self, function: str, *arguments: object) -> Any:
        """Call a JavaScript function in the page; what it returns or resolves to."""

    @abstractmethod
    def set_appearance(self, *, dark: bool, width: int, height: int) -> None:
        """Set the colour scheme and the size of the page."""

    @abstractmethod
    def screenshot(self) -> bytes:
        """The page as PNG."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Chromium(Browser):
    """Through Playwright, which needs no further program. `service` is the port that SERVICE leads to."""

    name = "Chromium"

    def __init__(
        self, extension: Path, folder: Path, language: str = "en", scale: float = 1, service: int = 0
    ) -> None:
        self._playwright = sync_playwright().start()
        # Without the first of these Playwright switches every extension off.
        loaded = [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
        led = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{service}"
        self._context = self._playwright.chromium.launch_persistent_context(
            folder / f"chromium-{language}",
            executable_path=shutil.which("chromium") or self._playwright.chromium.executable_path,
            args=["--no-first-run", "--disable-background-networking", f"--lang={language}", led, *loaded],
            ignore_https_errors=True,
            locale={"en": "en-US", "ko": "ko-KR"}[language],
            device_scale_factor=scale,
            viewport={"width": POPUP_WIDTH, "height": 600},
        )
        workers = self._context.service_workers
        worker = workers[0] if workers else self._context.wait_for_event("serviceworker")
        self._base = worker.url.removesuffix("background.js")
        browser = self._context.browser
        self.version = browser.version.split(".")[0] if browser else ""
        self._page: Page = self._context.pages[0]

    def open(self, address: str) -> None:
        before = self._page
        self._page = self._context.new_page()
        before.close()
        self._page.goto(address if ":" in address else self._base + address)

    def evaluate(self, function: str, *arguments: object) -> Any:
        return self._page.evaluate(f"(values) => ({function})(...values)", list(arguments))

    def set_appearance(self, *, dark: bool, width: int, height: int) -> None:
        self._page.emulate_media(color_scheme="dark" if dark else "light")
        self._page.set_viewport_size({"width": width, "height": height})

    def screenshot(self) -> bytes:
        return self._page.screenshot(animations="disabled", caret="hide")

    def close(self) -> None:
        self._context.close()
        self._playwright.stop()


class Firefox(Browser):
    """Through Marionette, which is built into it. `service` is the port that SERVICE leads to."""

    name = "Firefox"

    def __init__(
        self, extension: Path, folder: Path, language: str = "en", scale: float = 1, service: int = 0
    ) -> None:
        manifest = json.loads((extension / "manifest.json").read_text("utf-8"))
        self._base = f"moz-extension://{_UUID}/"
        self._browser = Marionette(
            bin=shutil.which("firefox-esr") or shutil.which("firefox"),
            headless=True,
            # Any that is free: its usual one is taken while another Firefox is driven.
            port=0,
            gecko_log=str(folder / "firefox.log"),
            workspace=str(folder),
            prefs={
                "extensions.webextensions.uuids": json.dumps(
                    {manifest["browser_specific_settings"]["gecko"]["id"]: _UUID}
                ),
                "intl.accept_languages": language,
                "layout.css.devPixelsPerPx": str(scale),
                "ui.caretBlinkTime": 0,
                # One that takes room would make a page of the popup's width scroll sideways.
                "ui.useOverlayScrollbars": 1,
                "network.dns.localDomains": HOST,
                "network.socket.forcePort": f"443={service}" if service else "",
            },
        )
        # It says on stdout which Firefox it has found; that is for results.
        with contextlib.redirect_stdout(sys.stderr):
            self._browser.start_session({"acceptInsecureCerts": True})
        self._browser.timeout.script = PATIENCE
        self.version = str(self._browser.session_capabilities["browserVersion"]).split(".")[0]
        # Larger than any size that set_appearance sets.
        self._browser.set_window_rect(width=1400, height=1400)
        self._chrome(_SET_LANGUAGE, language)
        Addons(self._browser).install(path=str(extension), temp=True)

    def open(self, address: str) -> None:
        before = self._browser.current_window_handle
        tab = self._browser.open(type="tab", focus=True)["handle"]
        self._browser.switch_to_window(before, focus=False)
        self._browser.close()
        self._browser.switch_to_window(tab)
        self._browser.navigate(address if ":" in address else self._base + address)

    def evaluate(self, function: str, *arguments: object) -> Any:
        # In no sandbox of its own: as the page itself would call it.
        return self._browser.execute_script(
            f"return ({function})(...arguments)", list(arguments), sandbox=None
        )

    def set_appearance(self, *, dark: bool, width: int, height: int) -> None:
        self._browser.set_pref("layout.css.prefers-color-scheme.content-override", 0 if dark else 1)
        self._chrome(_SIZE, width, height)

    def screenshot(self) -> bytes:
        image: bytes = self._browser.screenshot(format="binary", full=False)
        return image

    def close(self) -> None:
        self._browser.quit()
        self._browser.cleanup()
        # Its profile deletes itself when it is collected, which fails when Python itself ends.
        del self._browser
        gc.collect()

    def _chrome(self, script: str, *arguments: object) -> None:
        with self._browser.using_context("chrome"):
            self._browser.execute_script(script, list(arguments), sandbox="system")


BROWSERS = (Chromium, Firefox)
