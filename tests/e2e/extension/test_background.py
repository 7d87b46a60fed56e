"""The extension outside its popup: menus, shortcuts, the current page, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.relay import Answer, Relay
from tests.e2e.extension.user import User
from tests.support.process import wait_until

LINES = "first line\n  second, with <b>markup</b>\n\nlast"
PAGE = f"""<!doctype html><title>another page</title><h1>A page</h1>
<pre id="lines">{LINES.replace("<", "&lt;")}</pre>
<a id="link" href="https://example.org/a?b=c&amp;d">a link</a>
<textarea id="field">before|after</textarea>"""


@pytest.fixture
def page(driver: Driver, network: Relay) -> Iterator[User]:
    """A user with the extension who is at a page."""
    network.fail("page", Answer(200, {"Content-Type": "text/html"}, PAGE.encode()))
    user = User(driver, "popup", network).set()
    driver.open(f"{network.url}/api/v1/page")
    yield user
    network.heal()


@pytest.mark.parametrize("is_killed", [False, True], ids=["awake", "asleep"])
def test_a_selection_is_saved_with_its_lines(page: User, is_killed: bool) -> None:
    if is_killed:
        page.driver.kill_background()
    page.driver.select("#lines")
    page.driver.choose("selection", "#lines")
    _is_saved(page, LINES)


def test_a_link_is_saved(page: User) -> None:
    page.driver.choose("link", "#link")
    _is_saved(page, "https://example.org/a?b=c&d")


def test_the_address_of_a_page_is_saved(page: User) -> None:
    page.driver.choose("page", "h1")
    _is_saved(page, f"{page.network.url}/api/v1/page")


@pytest.mark.parametrize("is_killed", [False, True], ids=["awake", "asleep"])
def test_a_shortcut_saves_the_selection(page: User, is_killed: bool) -> None:
    if is_killed:
        page.driver.kill_background()
    page.driver.select("#lines")
    page.driver.command("save-selection")
    _is_saved(page, LINES)


def test_with_nothing_selected_no_code_from_before_is_shown(page: User, en: dict[str, str]) -> None:
    page.open().save("from before")
    page.driver.inside("(values) => chrome.storage.session.set(values)", {"notice": "nothing_selected"})
    page.part("save-alert").says(en["nothing_selected"])
    page.part("saved-heading").vanishes()
    page.part("text").has_focus()


def test_a_shortcut_opens_the_popup_where_a_code_is_typed_and_it_closes_itself(page: User) -> None:
    driver, code = page.driver, _written(page, "new")
    driver.command("open-load")
    wait_until(lambda: driver.in_popup(_FOCUSED) == "code-field", "the code field has the focus")
    driver.press_in_popup(*code)
    wait_until(lambda: driver.in_popup(_FOCUSED) == "loaded-text", "the text is opened by its fourth letter")
    driver.press_in_popup("Enter")
    wait_until(lambda: driver.in_popup(_FOCUSED) is None, "the popup has closed itself")
    assert driver.copied() == "new"
    # The next popup is an ordinary one.
    page.open()
    page.part("tab-text").is_checked()


def test_a_code_is_typed_with_no_field_in_focus(popup_user: User) -> None:
    code = _written(popup_user, "new")
    popup_user.driver.type(code)
    popup_user.part("loaded-text").has_focus()
    popup_user.reads("new")
    assert [each.json["code"] for each in popup_user.network.asked("load")] == [code]
    popup_user.driver.press("Enter")
    wait_until(lambda: popup_user.driver.copied() == "new", "the text is copied")


def test_a_saved_selection_has_the_usual_lifetime(page: User) -> None:
    page.set(lifetime=10_800)
    page.driver.select("#lines")
    page.driver.choose("selection", "#lines")
    _is_saved(page, LINES)
    assert page.network.asked("write")[0].json["expires_in"] == 10_800


def test_a_selection_waits_for_a_service_that_is_away(page: User) -> None:
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


def test_a_loaded_text_is_inserted_at_the_cursor(page: User, en: dict[str, str]) -> None:
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


def test_where_there_is_no_cursor_nothing_is_inserted(page: User, en: dict[str, str]) -> None:
    code = _written(page, "new")
    below = page.driver.lend()
    page.driver.open(f"popup.html?tab={below}", over=True)
    page.wait().load(code)
    page.part("insert").click()
    page.part("loaded-status").says(en["insert_failed"])


def test_the_service_is_chosen_and_tested(popup_user: User, en: dict[str, str]) -> None:
    popup_user.driver.store(settings={})
    popup_user.driver.open("popup.html")
    popup_user.part("choose").appears()
    popup_user.driver.open("options.html")
    popup_user.part("default-lifetime").holds("600")
    popup_user.part("server").fill("http://example.org")
    popup_user.part("test-server").click()
    popup_user.part("server-alert").says(en["bad_server"])
    popup_user.part("server").fill(popup_user.network.url)
    popup_user.part("test-server").click()
    popup_user.part("server-status").says(en["server_found"].format(most="1 MB"))
    popup_user.network.fail("limits", Answer(200, {"Content-Type": "text/html"}, b"<h1>Hello</h1>"))
    popup_user.part("test-server").click()
    popup_user.part("server-alert").says(re.compile("."))
    popup_user.network.heal()
    popup_user.open()
    popup_user.load(popup_user.save(LINES))
    popup_user.reads(LINES)


def test_the_popup_says_how_likely_a_code_is_guessed(popup_user: User, en: dict[str, str]) -> None:
    limits = json.loads(popup_user.network.answer("GET", "/api/v1/limits", {}, b"").body)
    for chance, said in (
        (0.00025, en["guess_chance"].format(count="4,000")),
        (0, en["guess_chance_small"]),
    ):
        popup_user.network.fail("limits", Answer.of(200, {**limits, "guess_chance_today": chance}))
        popup_user.open()
        popup_user.open_options()
        popup_user.part("guess-chance").says(said)
    popup_user.network.fail("limits", Answer.of(200, limits))
    popup_user.open()
    popup_user.open_options()
    popup_user.part("password-hint").appears()
    popup_user.part("guess-chance").vanishes()
    popup_user.network.heal()


_FOCUSED = "(document) => document.activeElement?.dataset?.part ?? ''"


def _written(user: User, text: str) -> str:
    """The code of a text that another user has saved."""
    headers, body = {"Content-Type": "application/json"}, json.dumps({"text": text}).encode()
    written = json.loads(user.network.answer("POST", "/api/v1/write", headers, body).body)
    code: str = written["code"]
    return code


def _is_saved(user: User, text: str) -> None:
    """The real popup has saved it once; opened again it shows the code, which loads the text."""
    wait_until(lambda: "written" in user.driver.stored("session"), "the popup has saved it")
    user.open()
    code = user.code()
    assert len({each.headers["Idempotency-Key"] for each in user.network.asked("write")}) == 1
    user.load(code)
    user.reads(text)
