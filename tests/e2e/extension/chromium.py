"""Chromium through Playwright."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Error, Page, Playwright

from tests.e2e.extension.driver import CLEAR, OFFICE, WELCOME, WIDE, Driver, Size, welcomes
from tests.e2e.extension.part import Moved
from tests.support import browser as browsers
from tests.support.process import wait_until

# Chromium passes the selection as one line.
_CHOSEN = """(item, selector) => {
    const link = document.querySelector(selector).closest("a")?.href;
    const text = getSelection().toString().replace(/\\s+/g, " ");
    return { menuItemId: item, pageUrl: location.href, frameId: 0, editable: false,
        ...(link && { linkUrl: link }), ...(text && { selectionText: text }) };
}"""
_POPUPS = """() => chrome.extension.getViews({ type: "popup" }).length"""
_CLOSE_POPUP = """() => chrome.extension.getViews({ type: "popup" }).forEach((each) => each.close())"""


class Chromium(Driver):
    """One process with one profile; the extension is there from the start."""

    name = "chromium"

    def __init__(
        self, playwright: Playwright, profile: Path, extension: Path | None, language: str = "en-US"
    ) -> None:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(found).exists():
            pytest.fail(
                "There is no Chromium to test with: ./scripts/test --all installs it, or says how",
                pytrace=False,
            )
        # Playwright switches extensions off unless the first of these is given too.
        loaded = [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
        self._context: BrowserContext = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=found,
            headless=True,
            locale=language,
            args=[*browsers.ARGS, f"--lang={language[:2]}", *(loaded if extension else [])],
        )
        # Without an Origin header, because Chromium refuses that of an extension.
        self._context.grant_permissions(["clipboard-read", "clipboard-write"])
        self._pages: list[Page] = []
        self._look: tuple[bool, Size] = (False, WIDE)
        # A page that no test uses: the extension's API can be called there.
        self._office: Page = self._context.new_page()
        assert self._context.browser
        self._session: CDPSession = self._context.browser.new_browser_cdp_session()
        self._base = ""
        if extension:
            self._wait(lambda: bool(self._context.service_workers), "the extension is there")
            self._base = "/".join(self._context.service_workers[0].url.split("/")[:3]) + "/"
            if welcomes(extension):
                self._wait(lambda: any(WELCOME in page.url for page in self._context.pages), "it welcomes")
                # Opened in an empty tab.
                self._office = self._context.new_page()
            self._office.goto(self._base + OFFICE)

    # The page

    def open(self, address: str, *, over: bool = False) -> None:
        if self._pages and not over:
            self.close()
        self._pages.append(self._context.new_page())
        self.dress(dark=self._look[0], size=self._look[1])
        self._here.goto(address if "://" in address else self._base + address)

    def close(self) -> None:
        self._end(self._target(self._pages.pop()))

    def evaluate(self, function: str, *arguments: object) -> Any:
        try:
            return self._here.evaluate(f"(given) => ({function})(...given)", list(arguments))
        except Error as error:
            if "context was destroyed" in error.message:
                raise Moved from error
            raise

    def click(self, selector: str) -> None:
        self._here.locator(selector).first.click(timeout=30_000)

    def type(self, text: str) -> None:
        self._here.keyboard.type(text)

    def press(self, key: str) -> None:
        self._here.keyboard.press(key)

    def dress(self, *, dark: bool = False, size: Size = WIDE) -> None:
        self._look = (dark, size)
        if self._pages:
            self._here.emulate_media(color_scheme="dark" if dark else "light")
            self._here.set_viewport_size({"width": size[0], "height": size[1]})

    # The computer

    def copied(self) -> str:
        text: str = self._office.evaluate("navigator.clipboard.readText()")
        return text

    def copy(self, text: str) -> None:
        self._office.evaluate("(text) => navigator.clipboard.writeText(text)", text)

    # The extension

    def inside(self, function: str, *arguments: object) -> Any:
        return self._office.evaluate(f"(given) => ({function})(...given)", list(arguments))

    def choose(self, item: str, element: str) -> None:
        info, tab = self.evaluate(_CHOSEN, item, element), self._tab(self.lend())
        self._dispatch("contextMenus.onClicked", info, tab)

    def command(self, name: str) -> None:
        self._dispatch("commands.onCommand", name, self._tab(self.lend()))

    def lend(self) -> int:
        self._here.bring_to_front()
        mine = self._context.new_cdp_session(self._here).send("Target.getTargetInfo")["targetInfo"]
        tabs = self._session.send("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]
        [tab] = [each["targetId"] for each in tabs if each["url"] == mine["url"]]
        self._session.send("Extensions.triggerAction", {"id": self._base.split("/")[2], "targetId": tab})
        self._wait(lambda: self.inside(_POPUPS) > 0, "the popup is there")
        self.inside(_CLOSE_POPUP)
        self._wait(lambda: self.inside(_POPUPS) == 0, "the popup is closed")
        [found] = self.inside("() => chrome.tabs.query({ active: true, lastFocusedWindow: true })")
        number: int = found["id"]
        return number

    def press_in_popup(self, *keys: str) -> None:
        for key in keys:
            code, number = (f"Key{key.upper()}", ord(key.upper())) if len(key) == 1 else (key, 13)
            pressed = {"key": key, "code": code, "windowsVirtualKeyCode": number}
            text = key if len(key) == 1 else "\r"
            self._call(self._popup(), "Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
            # If the popup has closed itself, the key press has no target.
            if self._targets("page", self._base + "popup.html"):
                self._call(self._popup(), "Input.dispatchKeyEvent", type="keyUp", **pressed)

    def kill_background(self) -> None:
        for target in self._workers():
            self._session.send("Target.closeTarget", {"targetId": target})
        self._wait(lambda: not self._workers(), "the service worker is dead")

    # The browser

    def clean(self) -> None:
        self._pages = []
        office = self._target(self._office)
        for target in self._targets("page"):
            if target != office:
                self._end(target)
        self.dress()
        if self._base:
            self.inside(CLEAR)
        self.copy("")

    def quit(self) -> None:
        self._context.close()

    @property
    def _here(self) -> Page:
        assert self._pages, "no page is open"
        return self._pages[-1]

    def _tab(self, number: int) -> object:
        return self.inside("(number) => chrome.tabs.get(number)", number)

    def _dispatch(self, event: str, *arguments: object) -> None:
        """Dispatch an event in the service worker; if it is idle, it is started as the browser does it."""
        # By an event of the browser that this extension ignores.
        self.inside("() => chrome.alarms.create('wake', { when: Date.now() })")
        self._wait(lambda: bool(self._workers()), "the service worker runs")
        # A worker that has just started has no listeners yet; a real event waits for them too.
        self._wait(lambda: self._in_worker(f"!!globalThis.chrome?.{event}.hasListeners()"), "it listens")
        self._in_worker(f"!!(chrome.{event}.dispatch(...{json.dumps(arguments)}), true)")

    def _in_worker(self, expression: str) -> bool:
        """Evaluate in the worker; Playwright's object for it does not work after the worker was stopped."""
        return '"value":true' in self._call(self._workers()[0], "Runtime.evaluate", expression=expression)

    def _popup(self) -> str:
        """The real popup, which is not a page for Playwright."""
        [found] = self._targets("page", self._base + "popup.html")
        return found

    def _call(self, target: str, method: str, **parameters: object) -> str:
        """Call a method of the DevTools protocol on a target; its answer."""
        call = {"id": 1, "method": method, "params": parameters}
        attached = self._session.send("Target.attachToTarget", {"targetId": target, "flatten": False})[
            "sessionId"
        ]
        answers: list[str] = []

        def hear(event: dict[str, str]) -> None:
            if event["sessionId"] == attached and '"id":1' in event["message"]:
                answers.append(event["message"])

        self._session.on("Target.receivedMessageFromTarget", hear)
        message = {"sessionId": attached, "message": json.dumps(call)}
        self._session.send("Target.sendMessageToTarget", message)
        self._wait(lambda: bool(answers), f"{method} answers")
        self._session.remove_listener("Target.receivedMessageFromTarget", hear)
        self._session.send("Target.detachFromTarget", {"sessionId": attached})
        return answers[0]

    def _workers(self) -> list[str]:
        return self._targets("service_worker")

    def _targets(self, kind: str, url: str = "") -> list[str]:
        targets = self._session.send("Target.getTargets")["targetInfos"]
        return [each["targetId"] for each in targets if each["type"] == kind and url in ("", each["url"])]

    def _target(self, page: Page) -> str:
        session = self._context.new_cdp_session(page)
        found: str = session.send("Target.getTargetInfo")["targetInfo"]["targetId"]
        session.detach()
        return found

    def _end(self, target: str) -> None:
        # The popup reloads itself when a setting changes: if a page is closed at that moment, it
        # is gone, but Playwright waits for ever for its end.
        self._session.send("Target.closeTarget", {"targetId": target})
        self._wait(lambda: target not in self._targets("page"), "the page is closed")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            # Playwright handles events only during a call.
            self._context.cookies()
            return condition()

        wait_until(holds, what)
