"""Every state of page and popup, photographed to be looked at: both themes, four sizes, two languages."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _scenes import TEXTS, Session
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = ((1280, 720), (1366, 768), (390, 844), (360, 640))
THEMES = ("light", "dark")
# By language, as the browser asks for it.
LOCALES = {"en": "en-US", "ko": "ko-KR"}
POPUP = (392, 600)
WRONG_CODE = "ZZzz"
PASSWORD = "open sesame"  # noqa: S105 - of a text that lives as long as its picture


def codes() -> list[str]:
    """More than are used."""
    return ["".join(letters) for letters in itertools.product("bdgkmprstvw", "aeiou", "nlr", "BDGK")]


class Visitor:
    """A page in one theme, size and language."""

    def __init__(self, page: Page, url: str, text: str) -> None:
        self.page = page
        self.url = url
        self.text = text

    def part(self, name: str) -> Any:
        """A part of the page, by the name in its markup."""
        return self.page.locator(f'[data-part="{name}"]')

    def open(self, path: str = "/") -> None:
        """The page, ready."""
        self.page.goto("about:blank")
        self.page.goto(self.url + path)
        self.page.locator("html[data-ready]").wait_for(state="attached")

    def save(self, *, once: bool = False, password: str = "") -> str:
        """Save the text; its code."""
        self.part("text").fill(self.text)
        if once or password:
            self.part("options-toggle").click()
            self.part("once").set_checked(once)
            self.part("password").fill(password)
        self.part("save").click()
        self.part("code").wait_for()
        return str(self.part("code").inner_text())

    def states(self) -> Iterator[str]:
        """One state after the other."""
        self.open()
        yield "empty"
        self.part("text").fill(self.text)
        yield "written"
        self.part("options-toggle").click()
        self.part("phrase").click()
        self.part("phrase-strength").filter(has_text=" ").wait_for()
        yield "options"
        self.part("save").click()
        self.part("code").wait_for()
        yield "saved-with-phrase"
        self.part("again").click()
        self.part("save").click()
        yield "nothing-to-save"
        code = self.save()
        yield "saved"
        self.part("show-qr").click()
        self.part("qr").wait_for()
        yield "qr"
        self.part("big-screen").click()
        yield "big-screen"
        self.part("big-screen-close").click()
        self.open(f"/#{code}")
        yield "link"
        self.part("load").click()
        self.part("loaded").wait_for()
        yield "opened"
        self.part("delete").click()
        yield "deleting"
        self.page.wait_for_timeout(5_500)
        yield "deleted"
        self.part("again").click()
        self.part("code-field").fill(WRONG_CODE)
        self.part("load").click()
        self.part("has-password").wait_for()
        yield "wrong-code"
        self.part("has-password").click()
        yield "password"
        code = self.save(once=True, password=PASSWORD)
        yield "saved-once-with-password"
        self.open(f"/#{code}.sealed.once")
        yield "once-link"


def page_states(url: str, target: Path) -> None:
    """The page, as Chromium shows it; what does not fit into the window is not in the picture."""
    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=executable)
        for size, theme, language in itertools.product(SIZES, THEMES, LOCALES):
            _photograph(browser, url, target / "page" / f"{size[0]}x{size[1]}-{theme}-{language}", language)
        browser.close()


def _photograph(browser: Browser, url: str, folder: Path, language: str) -> None:
    size, theme, _ = folder.name.split("-")
    width, height = map(int, size.split("x"))
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale=LOCALES[language],
    ) as context:
        visitor = Visitor(context.new_page(), url, TEXTS[language])
        for number, state in enumerate(visitor.states(), 1):
            _write(folder / f"{number:02}-{state}.png", visitor.page.screenshot())


def _popup_empty(_: Session) -> None:
    """As it opens."""


def _popup_options(session: Session) -> None:
    session.click("options-toggle")


def _popup_saved(session: Session) -> None:
    session.save(session.text)


def _popup_wrong(session: Session) -> None:
    session.fill("code-field", WRONG_CODE)
    session.click("load")
    session.wait_visible("has-password")


def _popup_opened(session: Session) -> None:
    session.load(session.saved_elsewhere(session.text))


def _popup_history(session: Session) -> None:
    session.save(session.text)
    session.click("tab-history")
    session.wait_visible("history")


POPUP_STATES: tuple[Callable[[Session], None], ...] = (
    _popup_empty,
    _popup_options,
    _popup_saved,
    _popup_wrong,
    _popup_opened,
    _popup_history,
)


def popup_states(session: Session, clear: str, language: str, target: Path) -> None:
    """The popup at its size, in both themes."""
    for theme, play in itertools.product(THEMES, POPUP_STATES):
        session.browser.open("options.html")
        session.browser.evaluate(clear)
        session.popup()
        session.browser.set_appearance(dark=theme == "dark", width=POPUP[0], height=POPUP[1])
        play(session)
        name = play.__name__.removeprefix("_popup_")
        _write(target / "popup" / f"{theme}-{language}" / f"{name}.png", session.browser.screenshot())


def _write(path: Path, image: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)
