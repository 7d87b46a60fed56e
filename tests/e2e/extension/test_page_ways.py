"""What only the page has, in both browsers: links, reloads, languages, dropped files, what is in sight."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Error

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.part import Moved
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.user import User
from tests.support.process import wait_until

RELOAD = "() => { delete document.documentElement.dataset.ready; location.reload(); }"
STORED = "() => JSON.stringify({ ...sessionStorage })"
LANGUAGE = """(language) => {
    const select = document.querySelector('[data-part="language"]');
    select.value = language;
    select.dispatchEvent(new Event("change"));
}"""
DROP = """(name, content) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(content)], name));
    const event = { dataTransfer: data, bubbles: true, cancelable: true };
    for (const type of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, event));
}"""
HIDDEN = """(names) => names.filter((name) => {
    const { top, bottom, width } = document.querySelector(`[data-part="${name}"]`).getBoundingClientRect();
    return width === 0 || top < 0 || bottom > innerHeight;
})"""


@pytest.fixture
def visitor(driver: Driver, network: Relay) -> User:
    return User(driver, "page", network).open()


def _reload(visitor: User) -> None:
    with suppress(Moved, Error):
        visitor.driver.evaluate(RELOAD)
    visitor.wait()


def test_a_one_time_link_asks_first(visitor: User, en: dict[str, str]) -> None:
    code = visitor.save("only once", once=True)
    visitor.open(f"/#{code}.once")
    visitor.part("load-notice").says(en["once_link"])
    assert not visitor.network.asked("load")
    visitor.part("load").click()
    visitor.reads("only once")


def test_a_locked_link_greets_in_a_neutral_tone(visitor: User, en: dict[str, str]) -> None:
    code = visitor.save("locked", "open sesame")
    visitor.open(f"/#{code}.sealed")
    visitor.part("load-notice").says(en["locked_link"])
    visitor.part("load-alert").says("")
    visitor.part("load-password").has_focus()


def test_a_link_may_carry_the_passphrase(visitor: User) -> None:
    visitor.part("text").fill("for a friend")
    visitor.open_options()
    visitor.part("phrase").click()
    visitor.part("save").is_ready()
    wait_until(lambda: visitor.part("password").now.value, "there is a phrase")
    visitor.part("save").click()
    visitor.part("copy-link-with-phrase").click()
    wait_until(lambda: ".sealed." in visitor.driver.copied(), "the link is copied")
    visitor.open(visitor.driver.copied().removeprefix(visitor.network.url))
    visitor.part("load").click()
    visitor.reads("for a friend")


def test_a_draft_survives_a_reload_and_a_password_does_not(visitor: User) -> None:
    visitor.write("my draft", "secret")
    wait_until(lambda: "my draft" in visitor.driver.evaluate(STORED), "the draft is stored")
    _reload(visitor)
    visitor.part("text").holds("my draft")
    visitor.part("password").holds("")
    assert "secret" not in visitor.driver.evaluate(STORED)


def test_on_a_shared_computer_nothing_is_stored(visitor: User) -> None:
    visitor.part("not-my-computer").check()
    visitor.write("a draft")
    visitor.save("a text")
    assert visitor.driver.evaluate(STORED) == '{"not-my-computer":""}'
    visitor.part("not-my-computer").check(False)


def test_the_language_is_remembered(visitor: User, words: dict[str, dict[str, str]]) -> None:
    visitor.driver.evaluate(LANGUAGE, "ko")
    visitor.part("save").says(words["ko"]["save"])
    visitor.open()
    visitor.part("save").says(words["ko"]["save"])
    visitor.driver.evaluate("() => localStorage.clear()")


def test_a_text_file_is_dropped_and_another_is_refused(visitor: User, en: dict[str, str]) -> None:
    visitor.driver.evaluate(DROP, "a.txt", list("한국어".encode()))
    visitor.part("text").holds("한국어")
    visitor.part("text").fill("")
    visitor.driver.evaluate(DROP, "a.png", [0x89, 0x50, 0x4E, 0x47, 0])
    visitor.shows_error("save", en["not_a_text_file"])


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (390, 844), (360, 640), (640, 360)])
def test_what_matters_is_in_sight(visitor: User, size: tuple[int, int]) -> None:
    visitor.driver.dress(size=size)
    visitor.open()
    assert visitor.driver.evaluate(HIDDEN, ["text", "save", "code-field", "load"]) == []
    visitor.save("a text")
    assert visitor.driver.evaluate(HIDDEN, ["code", "copy-code", "code-field"]) == []
