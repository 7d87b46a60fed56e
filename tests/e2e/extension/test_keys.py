"""As few keys as possible: popup and page, in both browsers."""

from __future__ import annotations

import re

import pytest

from tests.e2e.extension.user import User
from tests.support.process import wait_until
from tests.support.server import Server

TEXT = "first line\nsecond line"
BLUR = "() => document.activeElement?.blur()"


@pytest.fixture
def code(live_server: Server) -> str:
    """The code of a text that another user has saved."""
    _, written = live_server.post("/api/v1/write", {"text": TEXT})
    return str(written["code"])


def test_a_code_typed_anywhere_opens_and_enter_copies(user: User, code: str) -> None:
    user.driver.evaluate(BLUR)
    user.driver.type(code)
    user.part("loaded-text").holds(TEXT)
    user.part("loaded-text").has_focus()
    user.driver.press("Enter")
    wait_until(lambda: user.driver.copied() == TEXT, "the text is copied")


def test_a_text_typed_anywhere_is_a_text(user: User) -> None:
    user.driver.evaluate(BLUR)
    user.driver.type("hello over there")
    user.part("text").holds("hello over there")
    user.part("code-field").holds("")
    assert not user.network.asked("load")


def test_after_saving_and_after_loading_one_chord_copies(user: User, code: str) -> None:
    saved = user.save("a text")
    user.driver.press("Control+C")
    wait_until(lambda: user.driver.copied() == saved, "the code is copied")
    user.load(code)
    user.part("loaded-text").has_focus()
    user.driver.press("Control+C")
    wait_until(lambda: user.driver.copied() == TEXT, "the text is copied")


def test_a_wrong_code_stays_a_wrong_code(user: User, en: dict[str, str]) -> None:
    user.driver.evaluate(BLUR)
    user.driver.type("xTbh")
    user.part("load-alert").says(en["no_text"])
    user.part("code-field").has_focus()
    user.part("code-hint").says("You typed: small x, capital T, small b, small h")
    user.part("load-password").vanishes()


def test_a_deletion_can_be_undone(user: User, en: dict[str, str]) -> None:
    user.save("a text")
    user.part("delete").click()
    user.part("saved-status").says(en["deleting"])
    user.part("delete").click()
    user.part("saved-status").says(en["undone"])
    assert not user.network.asked("delete")
    user.part("delete").click()
    user.part("saved-heading").says(en["deleted"])
    assert user.network.asked("delete")[-1].status == 204


def test_the_receipt_turns_to_opened_by_itself(user: User, live_server: Server) -> None:
    code = user.save("a text")
    assert live_server.post("/api/v1/load", {"code": code})[0] == 200
    user.part("receipt").says(re.compile(r"^Opened at \d\d:\d\d\."))


def test_a_text_is_kept_longer(user: User) -> None:
    user.save("a text")
    user.part("extend").click()
    user.part("saved-status").says(re.compile("^Kept until "))
    assert user.network.asked("extend")[-1].status == 200


def test_a_draft_and_a_code_are_there_again(popup_user: User) -> None:
    popup_user.write("a draft")
    popup_user.open()
    popup_user.part("text").holds("a draft")
    code = popup_user.save("a text")
    popup_user.open()
    popup_user.part("code").says(code)
    popup_user.part("edit").click()
    popup_user.part("text").holds("a text")


class Counted:
    """Counts keys and clicks: a chord is one, and so is each letter."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.count = 0

    def press(self, key: str) -> None:
        self.user.driver.press(key)
        self.count += 1

    def type(self, text: str) -> None:
        self.user.driver.type(text)
        self.count += len(text)

    def click(self, name: str) -> None:
        self.user.part(name).click()
        self.count += 1


def test_a_text_in_the_clipboard_is_two_chords_away_from_its_code(user: User) -> None:
    user.driver.copy("a text")
    user.driver.evaluate(BLUR)
    by = Counted(user)
    # A driver can paste only into a field with the focus; for a user the chord alone is enough.
    user.part("text").click()
    by.press("Control+V")
    by.press("Control+Enter")
    user.part("code").appears()
    assert by.count == 2


def test_a_code_on_paper_is_five_keys_away_from_the_clipboard(user: User, code: str) -> None:
    user.driver.evaluate(BLUR)
    by = Counted(user)
    by.type(code)
    user.part("loaded-text").has_focus()
    by.press("Enter")
    wait_until(lambda: user.driver.copied() == TEXT, "the text is copied")
    assert by.count == 5


def test_a_code_on_screen_is_one_key_away_from_the_clipboard(user: User) -> None:
    saved = user.save("a text")
    user.part("copy-code").has_focus()
    by = Counted(user)
    by.press("Enter")
    wait_until(lambda: user.driver.copied() == saved, "the code is copied")
    assert by.count == 1


def test_a_phrase_is_one_click_and_both_are_copied_with_another(user: User) -> None:
    user.part("text").fill("a text")
    user.open_options()
    by = Counted(user)
    by.click("phrase")
    user.part("phrase-strength").says(re.compile("."))
    user.part("save").click()
    user.part("code").appears()
    by.click("copy-both")
    code, phrase = user.part("code").now.text, user.part("phrase-used").now.text
    wait_until(lambda: user.driver.copied() == f"{code}\n{phrase}", "both are copied")
    assert (by.count, len(phrase.split(" "))) == (2, 5)


def test_an_address_can_be_opened_and_lines_left_unwrapped(user: User, live_server: Server) -> None:
    _, written = live_server.post("/api/v1/write", {"text": "https://example.org/a?b=c"})
    user.load(str(written["code"]))
    user.reads("https://example.org/a?b=c")
    user.part("open-link").appears()
    found = user.driver.evaluate("() => document.querySelector('[data-part=open-link]').href")
    assert found == "https://example.org/a?b=c"
    user.part("wrap").click()
    white_space = "() => getComputedStyle(document.querySelector('[data-part=loaded-text]')).whiteSpace"
    assert user.driver.evaluate(white_space) == "pre"


def test_the_code_fills_the_window(user: User) -> None:
    code = user.save("for the room")
    user.part("big-screen").click()
    user.part("big-code").says(code)
    user.part("big-screen-close").click()
    user.part("big-code").vanishes()
