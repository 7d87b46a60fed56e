"""The fewest keys, and no traps: popup and page, in both browsers."""

from __future__ import annotations

import re

import pytest

from tests.e2e.extension.person import Person
from tests.support.process import wait_until
from tests.support.server import Server

TEXT = "first line\nsecond line"
BLUR = "() => document.activeElement?.blur()"


@pytest.fixture
def code(live_server: Server) -> str:
    """Of a text that somebody else has saved."""
    _, written = live_server.post("/api/v1/write", {"text": TEXT})
    return str(written["code"])


def test_a_code_typed_anywhere_opens_and_enter_copies(person: Person, code: str) -> None:
    person.driver.evaluate(BLUR)
    person.driver.type(code)
    person.part("loaded-text").holds(TEXT)
    person.part("loaded-text").has_focus()
    person.driver.press("Enter")
    wait_until(lambda: person.driver.copied() == TEXT, "the text is copied")


def test_a_text_typed_anywhere_is_a_text(person: Person) -> None:
    person.driver.evaluate(BLUR)
    person.driver.type("hello over there")
    person.part("text").holds("hello over there")
    person.part("code-field").holds("")
    assert not person.network.asked("load")


def test_after_saving_and_after_loading_one_chord_copies(person: Person, code: str) -> None:
    saved = person.save("a text")
    person.driver.press("Control+C")
    wait_until(lambda: person.driver.copied() == saved, "the code is copied")
    person.load(code)
    person.part("loaded-text").has_focus()
    person.driver.press("Control+C")
    wait_until(lambda: person.driver.copied() == TEXT, "the text is copied")


def test_a_wrong_code_stays_a_wrong_code(person: Person, en: dict[str, str]) -> None:
    person.driver.evaluate(BLUR)
    person.driver.type("xTbh")
    person.part("load-alert").says(en["no_text"])
    person.part("code-field").has_focus()
    person.part("code-hint").says("You typed: small x, capital T, small b, small h")
    person.part("load-password").vanishes()


def test_a_deletion_can_be_taken_back(person: Person, en: dict[str, str]) -> None:
    person.save("a text")
    person.part("delete").click()
    person.part("saved-status").says(en["deleting"])
    person.part("delete").click()
    person.part("saved-status").says(en["undone"])
    assert not person.network.asked("delete")
    person.part("delete").click()
    person.part("saved-heading").says(en["deleted"])
    assert person.network.asked("delete")[-1].status == 204


def test_the_receipt_turns_to_opened_by_itself(person: Person, live_server: Server) -> None:
    code = person.save("a text")
    assert live_server.post("/api/v1/load", {"code": code})[0] == 200
    person.part("receipt").says(re.compile(r"^Opened at \d\d:\d\d\."))


def test_a_text_is_kept_longer(person: Person) -> None:
    person.save("a text")
    person.part("extend").click()
    person.part("saved-status").says(re.compile("^Kept until "))
    assert person.network.asked("extend")[-1].status == 200


def test_a_draft_and_a_code_are_there_again(user: Person) -> None:
    user.write("a draft")
    user.open()
    user.part("text").holds("a draft")
    code = user.save("a text")
    user.open()
    user.part("code").says(code)
    user.part("edit").click()
    user.part("text").holds("a text")


class Counted:
    """Keys and clicks, counted: a chord is one, and so is each letter."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.count = 0

    def press(self, key: str) -> None:
        self.person.driver.press(key)
        self.count += 1

    def type(self, text: str) -> None:
        self.person.driver.type(text)
        self.count += len(text)

    def click(self, name: str) -> None:
        self.person.part(name).click()
        self.count += 1


def test_a_text_in_the_clipboard_is_two_chords_away_from_its_code(person: Person) -> None:
    person.driver.copy("a text")
    person.driver.evaluate(BLUR)
    by = Counted(person)
    # A driver pastes only into a field that has the focus; on a page the chord alone does.
    person.part("text").click()
    by.press("Control+V")
    by.press("Control+Enter")
    person.part("code").appears()
    assert by.count == 2


def test_a_code_on_paper_is_five_keys_away_from_the_clipboard(person: Person, code: str) -> None:
    person.driver.evaluate(BLUR)
    by = Counted(person)
    by.type(code)
    person.part("loaded-text").has_focus()
    by.press("Enter")
    wait_until(lambda: person.driver.copied() == TEXT, "the text is copied")
    assert by.count == 5


def test_a_code_on_screen_is_one_key_away_from_the_clipboard(person: Person) -> None:
    saved = person.save("a text")
    person.part("copy-code").has_focus()
    by = Counted(person)
    by.press("Enter")
    wait_until(lambda: person.driver.copied() == saved, "the code is copied")
    assert by.count == 1


def test_a_phrase_is_one_click_and_both_are_copied_with_another(person: Person) -> None:
    person.part("text").fill("a text")
    person.open_options()
    by = Counted(person)
    by.click("phrase")
    person.part("phrase-strength").says(re.compile("."))
    person.part("save").click()
    person.part("code").appears()
    by.click("copy-both")
    code, phrase = person.part("code").now.text, person.part("phrase-used").now.text
    wait_until(lambda: person.driver.copied() == f"{code}\n{phrase}", "both are copied")
    assert (by.count, len(phrase.split(" "))) == (2, 5)


def test_an_address_can_be_opened_and_lines_left_unwrapped(person: Person, live_server: Server) -> None:
    _, written = live_server.post("/api/v1/write", {"text": "https://example.org/a?b=c"})
    person.load(str(written["code"]))
    person.reads("https://example.org/a?b=c")
    person.part("open-link").appears()
    found = person.driver.evaluate("() => document.querySelector('[data-part=open-link]').href")
    assert found == "https://example.org/a?b=c"
    person.part("wrap").click()
    white_space = "() => getComputedStyle(document.querySelector('[data-part=loaded-text]')).whiteSpace"
    assert person.driver.evaluate(white_space) == "pre"


def test_the_code_fills_the_window(person: Person) -> None:
    code = person.save("for the room")
    person.part("big-screen").click()
    person.part("big-code").says(code)
    person.part("big-screen-close").click()
    person.part("big-code").vanishes()
