"""Accessibility: axe-core in both themes and sizes, only the keyboard, Korean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.extension.conftest import BROWSERS, Browsers
from tests.e2e.extension.driver import NARROW, WIDE, Driver, Size
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.user import Surface, User
from tests.support.process import wait_until
from tests.support.server import ROOT

TEXT, PASSWORD = "by keyboard", "secret"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """async (tags) => {
    const { violations } = await axe.run({ runOnly: { type: "tag", values: tags } });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""
_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_no_violation(user: User, dark: bool, size: Size) -> None:
    user.driver.dress(dark=dark, size=size)
    # Opened again in this theme, because a change of theme is animated.
    for state in _states(user.open()):
        assert _findings(user.driver) == [], state
        assert user.driver.evaluate(_WIDER) <= 0, state


def test_axe_finds_violations(user: User) -> None:
    user.open_options()
    user.driver.evaluate("() => { document.querySelector('[data-part=save]').style.color = '#888'; }")
    user.driver.evaluate("() => document.querySelector('[for=password]').remove()")
    assert {each.split(":")[0] for each in _findings(user.driver)} >= {"color-contrast", "label"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation_in_the_settings(popup_user: User, dark: bool) -> None:
    for size in (WIDE, NARROW):
        popup_user.driver.dress(dark=dark, size=size)
        popup_user.open_settings()
        assert _findings(popup_user.driver) == []
        popup_user.part("server").fill("http://example.org")
        popup_user.part("test-server").click()
        popup_user.part("server-alert").appears()
        assert _findings(popup_user.driver) == []


def test_the_whole_way_by_keyboard_alone(user: User, en: dict[str, str]) -> None:
    driver = user.driver
    # No field has the focus: typing more than a code starts a text.
    driver.type(TEXT)
    user.part("text").has_focus()
    user.part("text").holds(TEXT)
    user.part("code-field").holds("")
    _tab_to(user, "options-toggle")
    driver.press("Enter")
    _tab_to(user, "password")
    driver.type(PASSWORD)
    _tab_to(user, "text", back=True)
    driver.press("Control+Enter")
    user.part("copy-code").has_focus()
    driver.press("Enter")
    user.part("saved-status").says(re.compile("."))
    code = driver.copied()
    if user.surface == "popup":
        _tab_to(user, "tab-text", back=True)
        for tab in ("history", "notes", "text"):
            driver.press("ArrowRight")
            user.part(f"tab-{tab}").has_focus()
            user.part(f"{tab}-panel").appears()
    _tab_to(user, "code-field", back=user.surface == "page")
    driver.type(code)
    driver.press("Enter")
    user.shows_error("load", en["no_text"])
    user.part("load").is_ready()
    _tab_to(user, "has-password")
    driver.press("Enter")
    user.part("load-password").has_focus()
    driver.type(PASSWORD)
    driver.press("Enter")
    user.part("loaded-text").has_focus()
    user.reads(TEXT)
    for way in ("loaded-text", "copy-text"):
        driver.copy("")
        _tab_to(user, way)
        driver.press("Enter")
        wait_until(lambda: driver.copied() == TEXT, f"the text is copied from {way}")


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("surface", ["popup", "page"])
def test_in_korean(
    browsers: Browsers, network: Relay, words: dict[str, dict[str, str]], name: str, surface: Surface
) -> None:
    driver, ko = browsers(name, "ko-KR"), words["ko"]
    driver.clean()
    user = User(driver, surface, network).set().open()
    assert driver.evaluate("() => document.documentElement.lang") == "ko"
    user.part("save").says(ko["save"])
    code = user.save("가나다")
    user.part("saved-heading").says(ko["your_code"])
    user.load("w0rp")
    user.shows_error("load", ko["code_digits"])
    user.load(code)
    user.reads("가나다")
    assert _findings(driver) == []


def test_korean_where_it_is_set(popup_user: User, words: dict[str, dict[str, str]]) -> None:
    popup_user.open_settings()
    popup_user.driver.evaluate(_CHOOSE, "language", "ko")
    popup_user.part("language-status").says(words["ko"]["settings_saved"])
    assert popup_user.driver.evaluate("() => document.documentElement.lang") == "ko"
    popup_user.open()
    popup_user.part("save").says(words["ko"]["save"])


_CHOOSE = """(name, value) => {
    const field = document.querySelector(`[data-part="${name}"]`);
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def _findings(driver: Driver) -> list[str]:
    if not AXE.exists():
        pytest.fail("axe-core is not here: npm ci, or ./scripts/test", pytrace=False)
    if not driver.evaluate("() => typeof axe !== 'undefined'"):
        driver.evaluate(f"() => {{ {AXE.read_text('utf-8')} }}")
    found: list[str] = driver.evaluate(_RUN, TAGS)
    return found


def _states(user: User) -> Iterator[str]:
    """Put it into each of its states, one after the other."""
    yield "empty"
    user.part("save").click()
    user.part("save-alert").appears()
    user.open_options()
    yield "options"
    user.part("phrase").click()
    user.part("phrase-strength").says(re.compile("."))
    user.load("w0rp")
    user.part("load-alert").appears()
    yield "refused"
    user.unlock("ZZZZ", "wrong")
    user.part("load").is_ready()
    yield "locked"
    user.part("load-password").fill("")
    code = user.save("W" * 500)
    user.part("show-qr").click()
    user.part("qr").appears()
    user.part("receipt").says(re.compile("."))
    yield "saved"
    user.part("delete").click()
    yield "deleting"
    user.part("delete").click()
    user.load(code)
    user.part("loaded").appears()
    yield "loaded"
    if user.surface == "popup":
        user.turn("history")
        user.driver.find(f'[data-code="{code}"]').appears()
        yield "history"
        user.turn("notes")
        user.part("no-notes").appears()
        yield "no notes"
        user.turn("text")
        user.part("keep-note").click()
        user.part("note-text").appears()
        yield "note"


def _tab_to(user: User, name: str, *, back: bool = False) -> None:
    """Press Tab until the element has the focus."""
    there: Callable[[], bool] = lambda: user.part(name).now.focused  # noqa: E731
    for _ in range(40):
        if there():
            return
        user.driver.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{name} cannot be reached by the Tab key")
