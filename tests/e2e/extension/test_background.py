"""The extension beside its popup: menus, shortcuts, the page that a person is at, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.person import Person
from tests.e2e.extension.relay import Answer, Relay
from tests.support.process import wait_until

LINES = "first line\n  second, with <b>markup</b>\n\nlast"
PAGE = f"""<!doctype html><title>somebody's page</title><h1>A page</h1>
<pre id="lines">{LINES.replace("<", "&lt;")}</pre>
<a id="link" href="https://example.org/a?b=c&amp;d">a link</a>
<textarea id="field">before|after</textarea>"""


@pytest.fixture
def page(driver: Driver, network: Relay) -> Iterator[Person]:
    """Somebody who has the extension and is at a page."""
    network.fail("page", Answer(200, {"Content-Type": "text/html"}, PAGE.encode()))
    person = Person(driver, "popup", network).set()
    driver.open(f"{network.url}/api/v1/page")
    yield person
    network.heal()


@pytest.mark.parametrize("is_killed", [False, True], ids=["awake", "asleep"])
def test_a_selection_is_saved_with_its_lines(page: Person, is_killed: bool) -> None:
    if is_killed:
        page.driver.kill_background()
    page.driver.select("#lines")
    page.driver.choose("selection", "#lines")
    _is_saved(page, LINES)


def test_a_link_is_saved(page: Person) -> None:
    page.driver.choose("link", "#link")
    _is_saved(page, "https://example.org/a?b=c&d")


def test_the_address_of_a_page_is_saved(page: Person) -> None:
    page.driver.choose("page", "h1")
    _is_saved(page, f"{page.network.url}/api/v1/page")


@pytest.mark.parametrize("is_killed", [False, True], ids=["awake", "asleep"])
def test_a_shortcut_saves_the_selection(page: Person, is_killed: bool) -> None:
    if is_killed:
        page.driver.kill_background()
    page.driver.select("#lines")
    page.driver.command("save-selection")
    _is_saved(page, LINES)


def test_with_nothing_selected_no_code_from_before_is_shown(page: Person, en: dict[str, str]) -> None:
    page.open().save("from before")
    page.driver.inside("(values) => chrome.storage.session.set(values)", {"notice": "nothing_selected"})
    page.part("save-alert").says(en["nothing_selected"])
    page.part("saved-heading").vanishes()
    page.part("text").has_focus()


def test_a_shortcut_opens_the_popup_where_a_code_is_typed_and_it_closes_itself(page: Person) -> None:
    driver, code = page.driver, _written(page, "new")
    driver.command("open-load")
    wait_until(lambda: driver.in_popup(_FOCUSED) == "code-field", "the code field has the focus")
    driver.press_in_popup(*code)
    wait_until(lambda: driver.in_popup(_FOCUSED) == "loaded-text", "the text is opened by its fourth letter")
    driver.press_in_popup("Enter")
    wait_until(lambda: driver.in_popup(_FOCUSED) is None, "the popup has closed itself")
    assert driver.copied() == "new"
    # The next one is as any other.
    page.open()
    page.part("tab-text").is_checked()


def test_a_code_is_typed_with_no_field_in_focus(user: Person) -> None:
    code = _written(user, "new")
    user.driver.type(code)
    user.part("loaded-text").has_focus()
    user.reads("new")
    assert [each.json["code"] for each in user.network.asked("load")] == [code]
    user.driver.press("Enter")
    wait_until(lambda: user.driver.copied() == "new", "the text is copied")


def test_a_saved_selection_has_the_usual_lifetime(page: Person) -> None:
    page.set(lifetime=10_800)
    page.driver.select("#lines")
    page.driver.choose("selection", "#lines")
    _is_saved(page, LINES)
    assert page.network.asked("write")[0].json["expires_in"] == 10_800


def test_a_selection_waits_for_a_service_that_is_away(page: Person) -> None:
    page.network.fail("write", Answer.of(503, {}, Retry_After="60"))
    page.driver.select("#lines")
    page.driver.choose("selection", "#lines")
    wait_until(lambda: bool(page.network.asked("write")), "the popup has sent it")
    page.open()
    page.part("save-alert").appears()
    page.network.heal()
    page.open()
    page.load(page.code())
    page.reads(LINES)


def test_a_loaded_text_is_inserted_at_the_cursor(page: Person, en: dict[str, str]) -> None:
    code = _written(page, "<i>\nnew")
    cursor = (
        "() => { const each = document.querySelector('#field'); each.focus(); each.setSelectionRange(7, 7); }"
    )
    page.driver.evaluate(cursor)
    below = page.driver.lend()
    page.driver.open(f"popup.html?tab={below}", over=True)
    page.wait().load(code)
    page.part("insert").click()
    page.part("loaded-status").says(en["inserted"])
    page.close()
    page.driver.find("#field").holds("before|<i>\nnewafter")


def test_where_there_is_no_cursor_nothing_is_inserted(page: Person, en: dict[str, str]) -> None:
    code = _written(page, "new")
    below = page.driver.lend()
    page.driver.open(f"popup.html?tab={below}", over=True)
    page.wait().load(code)
    page.part("insert").click()
    page.part("loaded-status").says(en["insert_failed"])


def test_the_service_is_chosen_and_tested(user: Person, en: dict[str, str]) -> None:
    user.driver.store(settings={})
    user.driver.open("popup.html")
    user.part("choose").appears()
    user.driver.open("options.html")
    user.part("default-lifetime").holds("600")
    user.part("server").fill("http://example.org")
    user.part("test-server").click()
    user.part("server-alert").says(en["bad_server"])
    user.part("server").fill(user.network.url)
    user.part("test-server").click()
    user.part("server-status").says(en["server_found"].format(most="1 MB"))
    user.network.fail("limits", Answer(200, {"Content-Type": "text/html"}, b"<h1>Hello</h1>"))
    user.part("test-server").click()
    user.part("server-alert").says(re.compile("."))
    user.network.heal()
    user.open()
    user.load(user.save(LINES))
    user.reads(LINES)


_FOCUSED = "(document) => document.activeElement?.dataset?.part ?? ''"


def _written(person: Person, text: str) -> str:
    """The code of a text that somebody else has saved."""
    headers, body = {"Content-Type": "application/json"}, json.dumps({"text": text}).encode()
    written = json.loads(person.network.answer("POST", "/api/v1/write", headers, body).body)
    code: str = written["code"]
    return code


def _is_saved(person: Person, text: str) -> None:
    """The real popup has saved it, once; opened again it shows the code, and the text is under it."""
    wait_until(lambda: "written" in person.driver.stored("session"), "the popup has saved it")
    person.open()
    code = person.code()
    assert len({each.headers["Idempotency-Key"] for each in person.network.asked("write")}) == 1
    person.load(code)
    person.reads(text)
