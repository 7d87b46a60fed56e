"""What the extension keeps, and what it does not: drafts, notes, history, settings, a shared computer."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.person import Person
from tests.e2e.extension.relay import NOTHING, Relay
from tests.support.process import wait_until

TEXT, PASSWORD = "a text of mine", "open sesame"
HOUR = 3_600
_GEAR_TO_THE_RIGHT = """() => {
    const right = (selector) => document.querySelector(selector).getBoundingClientRect().right;
    return Math.abs(right("header") - right("[data-part=settings]"));
}"""


def test_a_draft_outlives_the_popup_and_the_password_does_not(user: Person, en: dict[str, str]) -> None:
    user.write(TEXT, PASSWORD, once=True)
    user.driver.find('[name="expires_in"][value="604800"]').click()
    _is_kept(user, "draft", TEXT)
    user.close()
    user.driver.kill_background()
    assert PASSWORD not in _all(user)
    user.open()
    user.part("text").holds(TEXT)
    user.part("password").holds("")
    user.part("once").is_checked()
    user.driver.find('[name="expires_in"][value="604800"]').is_checked()
    # It was to be locked: that it would not be is said before it is sent.
    user.part("save").click()
    user.is_told("save", en["password_again"])
    assert not user.network.asked("write")
    user.part("password").fill(PASSWORD)
    user.part("save").click()
    user.part("saved-heading").appears()
    wait_until(lambda: TEXT not in _all(user), "nothing is left of the draft")


def test_a_typed_code_and_the_tab_outlive_the_popup(user: Person, en: dict[str, str]) -> None:
    user.part("code-field").fill("wUr")
    _is_kept(user, "typed", "wUr")
    user.open()
    user.part("tab-text").is_checked()
    user.part("code-field").holds("wUr")
    user.part("code-field").has_focus()
    # The next letter goes on with it.
    user.driver.type("Z")
    user.is_told("load", en["no_text"])
    assert [each.json["code"] for each in user.network.asked("load")] == ["wUrZ"]
    user.turn("history")
    _is_kept(user, "tab", "tab-history")
    user.open()
    user.part("tab-history").is_checked()
    user.part("history-panel").appears()


def test_a_code_outlives_the_popup(user: Person, en: dict[str, str]) -> None:
    code = user.save(TEXT, PASSWORD)
    _is_kept(user, "written", code)
    user.open()
    user.part("code").says(code)
    user.part("delete").click()
    user.part("saved-status").says(en["deleting"])
    user.part("delete").says(en["undo"])
    user.part("saved-details").vanishes()
    assert user.network.asked("delete")[-1].status == 204
    assert PASSWORD not in _all(user)


def test_a_deletion_can_be_taken_back_and_is_done_when_the_popup_closes(
    user: Person, en: dict[str, str]
) -> None:
    user.save(TEXT)
    user.part("delete").click()
    user.part("delete").click()
    user.part("saved-status").says(en["undone"])
    user.part("delete").click()
    user.part("saved-status").says(en["deleting"])
    assert not user.network.asked("delete")
    user.open()
    wait_until(lambda: user.network.asked("delete"), "it is deleted")
    assert user.network.asked("delete")[-1].status == 204


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_save_that_was_under_way_is_brought_to_its_end(user: Person, password: str) -> None:
    user.network.fail("write", NOTHING)
    user.write(TEXT, password)
    user.part("save").click()
    wait_until(lambda: bool(user.network.asked("write")), "it was sent")
    user.close()
    user.driver.kill_background()
    assert PASSWORD not in _all(user)
    user.network.heal()
    user.open()
    code = user.code()
    assert len({each.headers["Idempotency-Key"] for each in user.network.asked("write")}) == 1
    if password:
        user.unlock(code, password)
    else:
        user.load(code)
    user.reads(TEXT)


def test_a_loaded_text_is_kept_as_a_note(user: Person, en: dict[str, str]) -> None:
    user.turn("notes")
    user.part("no-notes").says(en["no_notes"])
    code = user.save(f"{TEXT}\nsecond line")
    user.load(code)
    user.part("keep-note").click()
    note, field = user.driver.find(f'[data-note="{code}"]'), user.part("note-text")
    user.part("tab-notes").is_checked()
    field.appears()
    field.has_focus()
    field.holds(f"{TEXT}\nsecond line")
    note.find('[data-part="note-name"]').says(en["note_name"].format(code=code, line=TEXT))
    field.fill(f"{TEXT}, changed")
    note.find('[data-part="note-name"]').says(en["note_name"].format(code=code, line=f"{TEXT}, changed"))
    wait_until(lambda: "changed" in json.dumps(user.driver.stored()), "the change is kept")
    user.open()
    user.part("tab-notes").is_checked()
    note.counts(1)
    field.vanishes()
    user.part("note-copy").click()
    wait_until(lambda: user.driver.copied() == f"{TEXT}, changed", "the note is copied")
    user.part("note-name").click()
    field.appears()
    field.holds(f"{TEXT}, changed")
    user.part("note-remove").click()
    user.part("note-remove").says(en["remove_note_confirm"])
    assert TEXT in json.dumps(user.driver.stored())
    user.part("note-remove").click()
    note.counts(0)
    user.part("no-notes").appears()
    assert TEXT not in json.dumps(user.driver.stored())


def test_a_full_storage_says_so_where_a_note_is_kept(user: Person, en: dict[str, str]) -> None:
    user.load(user.save(TEXT))
    user.driver.evaluate("() => { chrome.storage.local.set = async () => { throw new Error('full'); }; }")
    user.part("keep-note").click()
    user.part("loaded-status").says(en["note_failed"])
    assert user.driver.find(".status.failed").now.text == en["note_failed"]


def test_the_history_knows_codes_and_times_only(user: Person) -> None:
    first, second = user.save(TEXT), _again(user)
    user.load(first)
    user.part("loaded").appears()
    _has_history(user, 3)
    user.open()
    user.turn("history")
    row = user.driver.find(f'[data-code="{second}"]')
    row.says(re.compile(r"Saved at .*\d.* (10|9) min"))
    user.part("history").find("li").counts(3)
    kept = json.dumps(user.driver.stored()["history"])
    assert TEXT not in kept
    assert "owner" not in kept.lower()
    row.find('[data-part="forget"]').click()
    row.counts(0)
    user.part("history").find("li").counts(2)
    user.driver.find(f'[data-code="{first}"] button').click()
    user.part("loaded").appears()
    user.turn("history")
    user.part("forget-all").click()
    user.part("history").find("li").counts(0)
    assert not user.driver.stored().get("history")


def test_ones_own_code_in_the_history_shows_the_code_and_loads_nothing(
    user: Person, en: dict[str, str]
) -> None:
    code = user.save(TEXT, once=True)
    _again(user)
    _has_history(user, 2)
    user.turn("history")
    user.driver.find(f'[data-code="{code}"] button').click()
    user.part("code").says(code)
    user.part("delete").vanishes()
    assert not user.network.asked("load")
    user.turn("history")
    load = user.driver.find(f'[data-code="{code}"] [data-part="history-load"]')
    load.click()
    load.says(en["history_load_confirm"])
    load.click()
    user.part("code-field").holds(code)
    assert not user.network.asked("load")
    user.part("load").click()
    user.reads(TEXT)


def test_a_phrase_outlives_the_popup_with_its_code(user: Person, en: dict[str, str]) -> None:
    user.open_options()
    user.part("phrase").click()
    user.part("phrase-strength").says(re.compile("."))
    user.part("text").fill(TEXT)
    user.part("save").click()
    code = user.code()
    user.part("phrase-used").says(re.compile(r"^[\w-]+( [\w-]+){4}$"))
    phrase = user.part("phrase-used").now.text
    user.open()
    user.part("phrase-used").says(phrase)
    user.part("copy-phrase").click()
    user.part("saved-status").says(en["phrase_copied"])
    assert user.driver.copied() == phrase
    user.part("copy-both").click()
    user.part("saved-status").says(en["both_copied"])
    assert user.driver.copied() == f"{code}\n{phrase}"
    user.part("again").click()
    wait_until(lambda: "written" not in user.driver.stored("session"), "the phrase is forgotten")


def test_no_history_where_it_is_off(user: Person, en: dict[str, str]) -> None:
    user.open_settings()
    user.part("keep-history").check(False)
    user.part("keep-history-status").says(en["settings_saved"])
    user.open()
    user.load(user.save(TEXT))
    user.part("loaded").appears()
    user.turn("history")
    user.part("no-history").says(en["history_off"])
    assert not user.driver.stored().get("history")


def test_a_shared_computer_keeps_nothing(user: Person) -> None:
    # As version 2.0.0 has stored it.
    user.set(borrowed=True).open()
    user.part("shared-computer-notice").appears()
    user.write("a draft", PASSWORD)
    user.open()
    user.part("text").holds("")
    code = user.save(TEXT, PASSWORD)
    user.unlock(code, PASSWORD)
    user.reads(TEXT)
    user.part("keep-note").vanishes()
    user.part("copy-text").click()
    wait_until(lambda: user.driver.copied() == TEXT, "the text is copied")
    kept = _all(user)
    assert not [what for what in (code, TEXT, PASSWORD, "a draft") if what in kept], kept
    assert list(user.driver.stored()) == ["settings"]
    user.open()
    user.part("code").vanishes()
    user.part("loaded").vanishes()


def test_a_shared_computer_is_wiped_from_the_popup(user: Person, en: dict[str, str]) -> None:
    code = user.save(TEXT)
    user.load(code)
    user.part("keep-note").click()
    user.part("note-text").appears()
    user.set(sharedComputer=True).open()
    # What was kept before can be seen until it is wiped.
    user.turn("notes")
    user.driver.find(f'[data-note="{code}"]').counts(1)
    user.part("wipe-now").click()
    user.part("wipe-now").says(en["wipe_confirm"])
    user.part("wipe-now").click()
    user.part("choose").appears()
    assert user.driver.stored() == {}
    user.set(sharedComputer=True).open()
    user.part("tab-notes").vanishes()


def test_what_was_copied_on_a_shared_computer_is_taken_away(user: Person) -> None:
    user.set(sharedComputer=True).open()
    user.load(user.save(TEXT))
    user.part("copy-text").click()
    wait_until(lambda: user.driver.copied() == TEXT, "the text is copied")
    alarm = user.driver.inside("async () => (await chrome.alarms.getAll())[0].scheduledTime - Date.now()")
    assert 50_000 < alarm <= 60_000


def test_everything_is_wiped(user: Person, en: dict[str, str]) -> None:
    user.load(user.save(TEXT))
    user.part("keep-note").click()
    user.turn("text")
    user.part("again").click()
    user.part("text").fill("a draft")
    _is_kept(user, "draft", "a draft")
    user.driver.copy("copied")
    user.open_settings()
    user.part("wipe").click()
    # Notes are nowhere else: that they go too is to be meant.
    user.part("wipe").says(en["wipe_confirm"])
    user.part("wipe").click()
    user.part("server").holds("")
    user.open()
    user.part("choose").appears()
    # At its place, with no tabs beside it.
    assert user.driver.evaluate(_GEAR_TO_THE_RIGHT) < 1
    assert user.driver.stored() == {}
    assert user.driver.stored("session") == {}
    assert user.driver.copied() == ""


def test_what_extension_1_has_left_is_taken_over(user: Person, en: dict[str, str]) -> None:
    left = {
        "newtab1": json.dumps({"buttontab": "wUrp", "newtext": "an old note"}),
        "savehistory": json.dumps({"0": "aaaa"}),
        "state": json.dumps({"wrtext": "an old draft", "activeTab": "save"}),
    }
    user.driver.evaluate("(left) => Object.assign(localStorage, left)", left)
    for _ in range(2):
        user.open()
        user.part("text").holds("an old draft")
    user.turn("notes")
    user.driver.find('[data-note="wUrp"]').counts(1)
    user.part("note-name").click()
    user.part("note-text").holds("an old note")
    user.turn("history")
    user.driver.find('[data-code="aaaa"]').says(f"aaaa{en['history_saved_once']}{en['forget']}")
    assert user.driver.evaluate("() => localStorage.length") == 0


def _again(user: Person) -> str:
    user.part("again").click()
    return user.save(TEXT)


def _all(user: Person) -> str:
    return json.dumps([user.driver.stored(), user.driver.stored("session")])


def _is_kept(user: Person, key: str, what: str) -> None:
    wait_until(lambda: what in json.dumps(user.driver.stored("session").get(key)), f"{key} is kept")


def _has_history(user: Person, count: int) -> None:
    wait_until(lambda: len(user.driver.stored().get("history", [])) == count, f"{count} codes are noted")


def test_the_address_of_the_service_is_taken_at_the_first_run(
    driver: Driver, network: Relay, en: dict[str, str]
) -> None:
    user = Person(driver, "popup", network).open()
    user.part("choose").appears()
    user.part("choose-field").fill("http://saver.example")
    user.part("choose-field").press("Enter")
    user.part("choose-alert").says(en["bad_server"])
    user.part("choose-field").fill(network.url)
    user.part("choose-field").press("Enter")
    user.part("text").appears()
    assert driver.stored()["settings"]["server"] == f"{network.url}/"
