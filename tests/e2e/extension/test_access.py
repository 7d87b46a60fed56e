"""For everybody: axe-core in both themes and sizes, the keyboard alone, Korean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.extension.conftest import BROWSERS, Browsers
from tests.e2e.extension.driver import NARROW, WIDE, Driver, Size
from tests.e2e.extension.person import Person, Surface
from tests.e2e.extension.relay import Relay
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
def test_nothing_is_in_anybodys_way(person: Person, dark: bool, size: Size) -> None:
    person.driver.dress(dark=dark, size=size)
    # Opened anew in this dress: a change of theme would still be fading.
    for state in _states(person.open()):
        assert _findings(person.driver) == [], state
        assert person.driver.evaluate(_WIDER) <= 0, state


def test_what_is_in_the_way_is_found(person: Person) -> None:
    person.open_options()
    person.driver.evaluate("() => { document.querySelector('[data-part=save]').style.color = '#888'; }")
    person.driver.evaluate("() => document.querySelector('[for=password]').remove()")
    assert {each.split(":")[0] for each in _findings(person.driver)} >= {"color-contrast", "label"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_settings_are_in_nobodys_way(user: Person, dark: bool) -> None:
    for size in (WIDE, NARROW):
        user.driver.dress(dark=dark, size=size)
        user.open_settings()
        assert _findings(user.driver) == []
        user.part("server").fill("http://example.org")
        user.part("test-server").click()
        user.part("server-alert").appears()
        assert _findings(user.driver) == []


def test_the_whole_way_by_keyboard_alone(person: Person, en: dict[str, str]) -> None:
    driver = person.driver
    # No field has the focus: what is typed is a text, as it is more than a code.
    driver.type(TEXT)
    person.part("text").has_focus()
    person.part("text").holds(TEXT)
    person.part("code-field").holds("")
    _tab_to(person, "options-toggle")
    driver.press("Enter")
    _tab_to(person, "password")
    driver.type(PASSWORD)
    _tab_to(person, "text", back=True)
    driver.press("Control+Enter")
    person.part("copy-code").has_focus()
    driver.press("Enter")
    person.part("saved-status").says(re.compile("."))
    code = driver.copied()
    if person.surface == "popup":
        _tab_to(person, "tab-text", back=True)
        for tab in ("history", "notes", "text"):
            driver.press("ArrowRight")
            person.part(f"tab-{tab}").has_focus()
            person.part(f"{tab}-panel").appears()
    _tab_to(person, "code-field", back=person.surface == "page")
    driver.type(code)
    driver.press("Enter")
    person.is_told("load", en["no_text"])
    person.part("load").is_ready()
    _tab_to(person, "has-password")
    driver.press("Enter")
    person.part("load-password").has_focus()
    driver.type(PASSWORD)
    driver.press("Enter")
    person.part("loaded-text").has_focus()
    person.reads(TEXT)
    for way in ("loaded-text", "copy-text"):
        driver.copy("")
        _tab_to(person, way)
        driver.press("Enter")
        wait_until(lambda: driver.copied() == TEXT, f"the text is copied from {way}")


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("surface", ["popup", "page"])
def test_in_korean(
    browsers: Browsers, network: Relay, words: dict[str, dict[str, str]], name: str, surface: Surface
) -> None:
    driver, ko = browsers(name, "ko-KR"), words["ko"]
    driver.clean()
    person = Person(driver, surface, network).set().open()
    assert driver.evaluate("() => document.documentElement.lang") == "ko"
    person.part("save").says(ko["save"])
    code = person.save("가나다")
    person.part("saved-heading").says(ko["your_code"])
    person.load("w0rp")
    person.is_told("load", ko["code_digits"])
    person.load(code)
    person.reads("가나다")
    assert _findings(driver) == []


def test_korean_where_it_is_set(user: Person, words: dict[str, dict[str, str]]) -> None:
    user.open_settings()
    user.driver.evaluate(_CHOOSE, "language", "ko")
    user.part("language-status").says(words["ko"]["settings_saved"])
    assert user.driver.evaluate("() => document.documentElement.lang") == "ko"
    user.open()
    user.part("save").says(words["ko"]["save"])


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


def _states(person: Person) -> Iterator[str]:
    """Bring it into its states, one after the other."""
    yield "empty"
    person.part("save").click()
    person.part("save-alert").appears()
    person.open_options()
    yield "options"
    person.part("phrase").click()
    person.part("phrase-strength").says(re.compile("."))
    person.load("w0rp")
    person.part("load-alert").appears()
    yield "refused"
    person.unlock("ZZZZ", "wrong")
    person.part("load").is_ready()
    yield "locked"
    person.part("load-password").fill("")
    code = person.save("W" * 500)
    person.part("show-qr").click()
    person.part("qr").appears()
    person.part("receipt").says(re.compile("."))
    yield "saved"
    person.part("delete").click()
    yield "deleting"
    person.part("delete").click()
    person.load(code)
    person.part("loaded").appears()
    yield "loaded"
    if person.surface == "popup":
        person.turn("history")
        person.driver.find(f'[data-code="{code}"]').appears()
        yield "history"
        person.turn("notes")
        person.part("no-notes").appears()
        yield "no notes"
        person.turn("text")
        person.part("keep-note").click()
        person.part("note-text").appears()
        yield "note"


def _tab_to(person: Person, name: str, *, back: bool = False) -> None:
    """Go there by the Tab key, as far as it takes."""
    there: Callable[[], bool] = lambda: person.part(name).now.focused  # noqa: E731
    for _ in range(40):
        if there():
            return
        person.driver.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{name} cannot be reached by the Tab key")
