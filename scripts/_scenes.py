"""What is photographed for the stores: five scenes, each played in a real browser as a person would."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

# Five for each language, which is as many as the Chrome Web Store takes.
HEADLINES = {
    "en": (
        "Paste text here, get four letters",
        "Type them on any other computer",
        "Encrypted: not even the server can read it",
        "Your codes at hand, with the time they have left",
        "Your service, your language, your rules",
    ),
    "ko": (
        "텍스트를 붙여넣으면 네 글자 코드로",
        "다른 컴퓨터에서 코드만 입력하세요",
        "암호화하면 서버도 읽을 수 없습니다",
        "코드와 남은 시간을 한눈에",
        "서비스와 언어, 기록까지 내 뜻대로",
    ),
}
TEXTS = {
    "en": (
        "Agenda for Thursday\n\n1. Budget for the new roof\n2. Who brings the projector?\n"
        "3. The bus leaves at 16:40\n\nhttps://example.org/map"
    ),
    "ko": (
        "목요일 회의 안건\n\n1. 지붕 수리 예산\n2. 빔프로젝터는 누가 가져오나요?\n"
        "3. 버스는 16시 40분에 출발\n\nhttps://example.org/map"
    ),
}
_READY = "() => document.documentElement.dataset.ready !== undefined"
_AS_POPUP = "() => document.documentElement.classList.remove('in-tab')"
_PART = 'document.querySelector(`[data-part="${name}"]`)'
_CLICK = f"(name) => {_PART}.click()"
_ENABLED = f"(name) => !{_PART}.disabled"
_VISIBLE = f"(name) => {_PART}.checkVisibility()"
_FILL = f"""(name, value) => {{
    {_PART}.value = value;
    {_PART}.dispatchEvent(new Event("input", {{ bubbles: true }}));
}}"""
_LIFETIME = '(seconds) => document.querySelector(`[type=radio][value="${seconds}"]`).click()'
_CODE = "() => document.querySelector('[data-part=code]').textContent"
_TIMEOUT = 20.0


class Session:
    """A browser, the text of its language, and a way to have a text saved by somebody else."""

    def __init__(self, browser: Any, text: str, saved_elsewhere: Callable[[str], str]) -> None:
        self.browser = browser
        self.text = text
        self.saved_elsewhere = saved_elsewhere

    def popup(self) -> None:
        """The popup, as new."""
        self.browser.open("popup.html")
        self.wait_until(_READY)
        self.browser.evaluate(_AS_POPUP)

    def click(self, name: str) -> None:
        """Press a button as soon as it can be pressed."""
        self.wait_until(_ENABLED, name)
        self.browser.evaluate(_CLICK, name)

    def fill(self, name: str, value: str) -> None:
        """Type into a field."""
        self.browser.evaluate(_FILL, name, value)

    def wait_visible(self, name: str) -> None:
        """Wait until something is shown."""
        self.wait_until(_VISIBLE, name)

    def save(self, text: str, seconds: int = 600) -> str:
        """Save a text, and be ready for another one; its code."""
        self.click("tab-text")
        self.fill("text", text)
        self.browser.evaluate(_LIFETIME, seconds)
        self.click("save")
        self.wait_visible("code")
        code: str = self.browser.evaluate(_CODE)
        return code

    def load(self, code: str) -> None:
        """Load the text under a code."""
        self.click("tab-text")
        self.fill("code-field", code)
        self.click("load")
        self.wait_visible("loaded-text")

    def wait_until(self, condition: str, *arguments: object) -> None:
        """Wait until a function says so."""
        deadline = time.monotonic() + _TIMEOUT
        while not self.browser.evaluate(condition, *arguments):
            if time.monotonic() > deadline:
                raise SystemExit(f"screenshots: waited in vain: {condition} {arguments}")
            time.sleep(0.05)


def code(session: Session) -> None:
    """A saved text: its code, spelled out, and as a QR code."""
    session.save(session.text)
    session.click("show-qr")
    session.wait_visible("qr")


def load(session: Session) -> None:
    """A text that somebody else has saved."""
    session.load(session.saved_elsewhere(session.text))


def sealed(session: Session) -> None:
    """A text that is about to be encrypted with a phrase."""
    session.fill("text", session.text)
    session.click("options-toggle")
    session.click("phrase")
    session.wait_visible("phrase-strength")


def history(session: Session) -> None:
    """Codes of some texts."""
    for seconds in (600, 3_600, 86_400):
        session.save(session.text, seconds)
        session.click("again")
    session.load(session.saved_elsewhere(session.text))
    session.click("tab-history")
    session.wait_visible("history")


def settings(session: Session) -> None:
    """The settings page, its connection tested."""
    session.browser.open("options.html")
    # It is wired in the same breath.
    session.wait_until("() => document.querySelector('[data-part=default-lifetime]').length > 0")
    session.click("test-server")
    session.wait_until("() => document.querySelector('[data-part=server-status]').textContent !== ''")


class Shot(NamedTuple):
    """One picture: which scene, in which browser, in which language and light."""

    place: int
    play: Callable[[Session], None]
    browser: str
    language: str
    dark: bool

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.language}-{self.place}-{self.play.__name__}.png"


SHOTS = [
    Shot(1, code, "Chromium", "en", False),
    Shot(2, load, "Firefox", "en", False),
    Shot(3, sealed, "Chromium", "en", True),
    Shot(4, history, "Firefox", "en", True),
    Shot(5, settings, "Chromium", "en", False),
    Shot(1, code, "Firefox", "ko", False),
    Shot(2, load, "Chromium", "ko", True),
    Shot(3, sealed, "Firefox", "ko", False),
    Shot(4, history, "Chromium", "ko", False),
    Shot(5, settings, "Firefox", "ko", True),
]
