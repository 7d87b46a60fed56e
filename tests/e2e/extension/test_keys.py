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
