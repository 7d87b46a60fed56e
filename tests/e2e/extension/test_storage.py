"""What the extension stores and what it does not: drafts, notes, history, settings, a shared computer."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.extension.driver import Driver
from tests.e2e.extension.relay import NOTHING, Relay
from tests.e2e.extension.user import User
from tests.support.process import wait_until

TEXT, PASSWORD = "a text of mine", "open sesame"
HOUR = 3_600
_GEAR_TO_THE_RIGHT = """() => {
    const right = (selector) => document.querySelector(selector).getBoundingClientRect().right;
    return Math.abs(right("header") - right("[data-part=settings]"));
}"""


def test_a_draft_outlives_the_popup_and_the_password_does_not(popup_user: User, en: dict[str, str]) -> None:
    popup_user.write(TEXT, PASSWORD, once=True)
    popup_user.driver.find('[name="expires_in"][value="604800"]').click()
    _is_stored(popup_user, "draft", TEXT)
    popup_user.close()
    popup_user.driver.kill_background()
    assert PASSWORD not in _all(popup_user)
    popup_user.open()
    popup_user.part("text").holds(TEXT)
    popup_user.part("password").holds("")
    popup_user.part("once").is_checked()
    popup_user.driver.find('[name="expires_in"][value="604800"]').is_checked()
    # The draft had a password: before it is sent without one, the popup asks.
    popup_user.part("save").click()
    popup_user.shows_error("save", en["password_again"])
    assert not popup_user.network.asked("write")
    popup_user.part("password").fill(PASSWORD)
    popup_user.part("save").click()
    popup_user.part("saved-heading").appears()
    wait_until(lambda: TEXT not in _all(popup_user), "nothing is left of the draft")


def test_a_typed_code_and_the_tab_outlive_the_popup(popup_user: User, en: dict[str, str]) -> None:
    popup_user.part("code-field").fill("wUr")
    _is_stored(popup_user, "typed", "wUr")
    popup_user.open()
    popup_user.part("tab-text").is_checked()
    popup_user.part("code-field").holds("wUr")
    popup_user.part("code-field").has_focus()
    # The next letter is added to it.
    popup_user.driver.type("Z")
    popup_user.shows_error("load", en["no_text"])
    assert [each.json["code"] for each in popup_user.network.asked("load")] == ["wUrZ"]
    popup_user.turn("history")
    _is_stored(popup_user, "tab", "tab-history")
    popup_user.open()
    popup_user.part("tab-history").is_checked()
    popup_user.part("history-panel").appears()


def test_a_code_outlives_the_popup(popup_user: User, en: dict[str, str]) -> None:
    code = popup_user.save(TEXT, PASSWORD)
    _is_stored(popup_user, "written", code)
    popup_user.open()
    popup_user.part("code").says(code)
    popup_user.part("delete").click()
    popup_user.part("saved-status").says(en["deleting"])
    popup_user.part("delete").says(en["undo"])
    popup_user.part("saved-details").vanishes()
    assert popup_user.network.asked("delete")[-1].status == 204
    assert PASSWORD not in _all(popup_user)


def test_a_deletion_can_be_undone_and_is_sent_when_the_popup_closes(
    popup_user: User, en: dict[str, str]
) -> None:
    popup_user.save(TEXT)
    popup_user.part("delete").click()
    popup_user.part("delete").click()
    popup_user.part("saved-status").says(en["undone"])
    popup_user.part("delete").click()
    popup_user.part("saved-status").says(en["deleting"])
    assert not popup_user.network.asked("delete")
    popup_user.open()
    wait_until(lambda: popup_user.network.asked("delete"), "it is deleted")
    assert popup_user.network.asked("delete")[-1].status == 204


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_save_that_was_under_way_is_brought_to_its_end(popup_user: User, password: str) -> None:
    popup_user.network.fail("write", NOTHING)
    popup_user.write(TEXT, password)
    popup_user.part("save").click()
    wait_until(lambda: bool(popup_user.network.asked("write")), "it was sent")
    popup_user.close()
    popup_user.driver.kill_background()
    assert PASSWORD not in _all(popup_user)
    popup_user.network.heal()
    popup_user.open()
    code = popup_user.code()
    assert len({each.headers["Idempotency-Key"] for each in popup_user.network.asked("write")}) == 1
    if password:
        popup_user.unlock(code, password)
    else:
        popup_user.load(code)
    popup_user.reads(TEXT)


def test_a_loaded_text_is_stored_as_a_note(popup_user: User, en: dict[str, str]) -> None:
    popup_user.turn("notes")
    popup_user.part("no-notes").says(en["no_notes"])
    code = popup_user.save(f"{TEXT}\nsecond line")
    popup_user.load(code)
    popup_user.part("keep-note").click()
    note, field = popup_user.driver.find(f'[data-note="{code}"]'), popup_user.part("note-text")
    popup_user.part("tab-notes").is_checked()
    field.appears()
    field.has_focus()
    field.holds(f"{TEXT}\nsecond line")
    note.find('[data-part="note-name"]').says(en["note_name"].format(code=code, line=TEXT))
    field.fill(f"{TEXT}, changed")
    note.find('[data-part="note-name"]').says(en["note_name"].format(code=code, line=f"{TEXT}, changed"))
    wait_until(lambda: "changed" in json.dumps(popup_user.driver.stored()), "the change is kept")
    popup_user.open()
    popup_user.part("tab-notes").is_checked()
    note.counts(1)
    field.vanishes()
    popup_user.part("note-copy").click()
    wait_until(lambda: popup_user.driver.copied() == f"{TEXT}, changed", "the note is copied")
    popup_user.part("note-name").click()
    field.appears()
    field.holds(f"{TEXT}, changed")
    popup_user.part("note-remove").click()
    popup_user.part("note-remove").says(en["remove_note_confirm"])
    assert TEXT in json.dumps(popup_user.driver.stored())
    popup_user.part("note-remove").click()
    note.counts(0)
    popup_user.part("no-notes").appears()
    assert TEXT not in json.dumps(popup_user.driver.stored())


def test_a_full_storage_says_so_where_a_note_is_stored(popup_user: User, en: dict[str, str]) -> None:
    popup_user.load(popup_user.save(TEXT))
    popup_user.driver.evaluate(
        "() => { chrome.storage.local.set = async () => { throw new Error('full'); }; }"
    )
    popup_user.part("keep-note").click()
    popup_user.part("loaded-status").says(en["note_failed"])
    assert popup_user.driver.find(".status.failed").now.text == en["note_failed"]


def test_the_history_knows_codes_and_times_only(popup_user: User) -> None:
    first, second = popup_user.save(TEXT), _again(popup_user)
    popup_user.load(first)
    popup_user.part("loaded").appears()
    _has_history(popup_user, 3)
    popup_user.open()
    popup_user.turn("history")
    row = popup_user.driver.find(f'[data-code="{second}"]')
    row.says(re.compile(r"Saved at .*\d.* (10|9) min"))
    popup_user.part("history").find("li").counts(3)
    content = json.dumps(popup_user.driver.stored()["history"])
    assert TEXT not in content
    assert "owner" not in content.lower()
    row.find('[data-part="forget"]').click()
    row.counts(0)
    popup_user.part("history").find("li").counts(2)
    popup_user.driver.find(f'[data-code="{first}"] button').click()
    popup_user.part("loaded").appears()
    popup_user.turn("history")
    popup_user.part("forget-all").click()
    popup_user.part("history").find("li").counts(0)
    assert not popup_user.driver.stored().get("history")


def test_a_saved_code_in_the_history_is_shown_and_not_loaded(popup_user: User, en: dict[str, str]) -> None:
    code = popup_user.save(TEXT, once=True)
    _again(popup_user)
    _has_history(popup_user, 2)
    popup_user.turn("history")
    popup_user.driver.find(f'[data-code="{code}"] button').click()
    popup_user.part("code").says(code)
    popup_user.part("delete").vanishes()
    assert not popup_user.network.asked("load")
    popup_user.turn("history")
    load = popup_user.driver.find(f'[data-code="{code}"] [data-part="history-load"]')
    load.click()
    load.says(en["history_load_confirm"])
    load.click()
    popup_user.part("code-field").holds(code)
    assert not popup_user.network.asked("load")
    popup_user.part("load").click()
    popup_user.reads(TEXT)


def test_a_phrase_outlives_the_popup_with_its_code(popup_user: User, en: dict[str, str]) -> None:
    popup_user.open_options()
    popup_user.part("phrase").click()
    popup_user.part("phrase-strength").says(re.compile("."))
    popup_user.part("text").fill(TEXT)
    popup_user.part("save").click()
    code = popup_user.code()
    popup_user.part("phrase-used").says(re.compile(r"^[\w-]+( [\w-]+){4}$"))
    phrase = popup_user.part("phrase-used").now.text
    popup_user.open()
    popup_user.part("phrase-used").says(phrase)
    popup_user.part("copy-phrase").click()
    popup_user.part("saved-status").says(en["phrase_copied"])
    assert popup_user.driver.copied() == phrase
    popup_user.part("copy-both").click()
    popup_user.part("saved-status").says(en["both_copied"])
    assert popup_user.driver.copied() == f"{code}\n{phrase}"
    popup_user.part("again").click()
    wait_until(lambda: "written" not in popup_user.driver.stored("session"), "the phrase is forgotten")


def test_no_history_where_it_is_off(popup_user: User, en: dict[str, str]) -> None:
    popup_user.open_settings()
    popup_user.part("keep-history").check(False)
    popup_user.part("keep-history-status").says(en["settings_saved"])
    popup_user.open()
    popup_user.load(popup_user.save(TEXT))
    popup_user.part("loaded").appears()
    popup_user.turn("history")
    popup_user.part("no-history").says(en["history_off"])
    assert not popup_user.driver.stored().get("history")


def test_a_shared_computer_keeps_nothing(popup_user: User) -> None:
    # As version 2.0.0 stored it.
    popup_user.set(borrowed=True).open()
    popup_user.part("shared-computer-notice").appears()
    popup_user.write("a draft", PASSWORD)
    popup_user.open()
    popup_user.part("text").holds("")
    code = popup_user.save(TEXT, PASSWORD)
    popup_user.unlock(code, PASSWORD)
    popup_user.reads(TEXT)
    popup_user.part("keep-note").vanishes()
    popup_user.part("copy-text").click()
    wait_until(lambda: popup_user.driver.copied() == TEXT, "the text is copied")
    content = _all(popup_user)
    assert not [what for what in (code, TEXT, PASSWORD, "a draft") if what in content], content
    assert list(popup_user.driver.stored()) == ["settings"]
    popup_user.open()
    popup_user.part("code").vanishes()
    popup_user.part("loaded").vanishes()


def test_a_shared_computer_is_wiped_from_the_popup(popup_user: User, en: dict[str, str]) -> None:
    code = popup_user.save(TEXT)
    popup_user.load(code)
    popup_user.part("keep-note").click()
    popup_user.part("note-text").appears()
    popup_user.set(sharedComputer=True).open()
    # What was stored before is visible until it is wiped.
    popup_user.turn("notes")
    popup_user.driver.find(f'[data-note="{code}"]').counts(1)
    popup_user.part("wipe-now").click()
    popup_user.part("wipe-now").says(en["wipe_confirm"])
    popup_user.part("wipe-now").click()
    popup_user.part("choose").appears()
    assert popup_user.driver.stored() == {}
    popup_user.set(sharedComputer=True).open()
    popup_user.part("tab-notes").vanishes()


def test_what_was_copied_on_a_shared_computer_is_taken_away(popup_user: User) -> None:
    popup_user.set(sharedComputer=True).open()
    popup_user.load(popup_user.save(TEXT))
    popup_user.part("copy-text").click()
    wait_until(lambda: popup_user.driver.copied() == TEXT, "the text is copied")
    alarm = popup_user.driver.inside(
        "async () => (await chrome.alarms.getAll())[0].scheduledTime - Date.now()"
    )
    assert 50_000 < alarm <= 60_000


def test_everything_is_wiped(popup_user: User, en: dict[str, str]) -> None:
    popup_user.load(popup_user.save(TEXT))
    popup_user.part("keep-note").click()
    popup_user.turn("text")
    popup_user.part("again").click()
    popup_user.part("text").fill("a draft")
    _is_stored(popup_user, "draft", "a draft")
    popup_user.driver.copy("copied")
    popup_user.open_settings()
    popup_user.part("wipe").click()
    # There is no other copy of the notes, so wiping them needs a second click.
    popup_user.part("wipe").says(en["wipe_confirm"])
    popup_user.part("wipe").click()
    popup_user.part("server").holds("")
    popup_user.open()
    popup_user.part("choose").appears()
    # At its place, although there are no tabs.
    assert popup_user.driver.evaluate(_GEAR_TO_THE_RIGHT) < 1
    assert popup_user.driver.stored() == {}
    assert popup_user.driver.stored("session") == {}
    assert popup_user.driver.copied() == ""


def test_what_extension_1_has_left_is_taken_over(popup_user: User, en: dict[str, str]) -> None:
    left = {
        "newtab1": json.dumps({"buttontab": "wUrp", "newtext": "an old note"}),
        "savehistory": json.dumps({"0": "aaaa"}),
        "state": json.dumps({"wrtext": "an old draft", "activeTab": "save"}),
    }
    popup_user.driver.evaluate("(left) => Object.assign(localStorage, left)", left)
    for _ in range(2):
        popup_user.open()
        popup_user.part("text").holds("an old draft")
    popup_user.turn("notes")
    popup_user.driver.find('[data-note="wUrp"]').counts(1)
    popup_user.part("note-name").click()
    popup_user.part("note-text").holds("an old note")
    popup_user.turn("history")
    popup_user.driver.find('[data-code="aaaa"]').says(f"aaaa{en['history_saved_once']}{en['forget']}")
    assert popup_user.driver.evaluate("() => localStorage.length") == 0


def _again(popup_user: User) -> str:
    popup_user.part("again").click()
    return popup_user.save(TEXT)


def _all(popup_user: User) -> str:
    return json.dumps([popup_user.driver.stored(), popup_user.driver.stored("session")])


def _is_stored(popup_user: User, key: str, what: str) -> None:
    wait_until(lambda: what in json.dumps(popup_user.driver.stored("session").get(key)), f"{key} is kept")


def _has_history(popup_user: User, count: int) -> None:
    wait_until(
        lambda: len(popup_user.driver.stored().get("history", [])) == count, f"{count} codes are noted"
    )


def test_the_address_of_the_service_is_taken_at_the_first_run(
    driver: Driver, network: Relay, en: dict[str, str]
) -> None:
    popup_user = User(driver, "popup", network).open()
    popup_user.part("choose").appears()
    popup_user.part("choose-field").fill("http://saver.example")
    popup_user.part("choose-field").press("Enter")
    popup_user.part("choose-alert").says(en["bad_server"])
    popup_user.part("choose-field").fill(network.url)
    popup_user.part("choose-field").press("Enter")
    popup_user.part("text").appears()
    assert driver.stored()["settings"]["server"] == f"{network.url}/"
