"""Few keys: a code or a text is typed or pasted anywhere on the page."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.page.helpers import EN, save_by_api
from tests.support.browser import Visit, Visiting
from tests.support.server import Server


def test_a_code_typed_anywhere_opens_at_its_fourth_letter(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    reader.page.keyboard.type(save_by_api(live_server, "a text"))
    expect(reader.part("loaded-text")).to_have_value("a text")
    expect(reader.part("loaded-text")).to_be_focused()
    # One more key: the clipboard is not replaced without a command.
    reader.page.keyboard.press("Enter")
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])
    assert reader.clipboard() == "a text"


def test_a_wrong_letter_can_be_deleted_before_the_code_loads(visit: Visiting, live_server: Server) -> None:
    code, reader = save_by_api(live_server, "a text"), visit()
    reader.page.clock.install()
    reader.open()
    reader.page.keyboard.type(code[:3] + ("a" if code[3] != "a" else "b"))
    reader.page.clock.run_for(400)
    reader.page.keyboard.press("Backspace")
    reader.page.clock.run_for(2_000)
    assert not [url for url in reader.asked if url.endswith("/load")]
    reader.page.keyboard.type(code[3])
    reader.page.clock.run_for(1_000)
    expect(reader.part("loaded-text")).to_have_value("a text")


def test_a_text_typed_anywhere_is_a_text(visit: Visiting) -> None:
    sender = visit()
    sender.page.clock.install()
    sender.open().page.keyboard.type("hello over there")
    expect(sender.part("text")).to_have_value("hello over there")
    expect(sender.part("text")).to_be_focused()
    sender.page.clock.run_for(2_000)
    assert not [url for url in sender.asked if url.endswith("/load")]


@pytest.mark.parametrize("given", ["{}", " “{}”. ", "SERVICE/#{}"])
def test_a_code_pasted_anywhere_opens(visit: Visiting, live_server: Server, given: str) -> None:
    reader = visit().open()
    _paste(reader, given.replace("SERVICE", reader.url).format(save_by_api(live_server, "a text")))
    expect(reader.part("loaded-text")).to_have_value("a text")


def test_another_address_pasted_anywhere_is_a_text(visit: Visiting) -> None:
    sender = visit().open()
    _paste(sender, "https://example.org/wiki#Uses")
    expect(sender.part("text")).to_have_value("https://example.org/wiki#Uses")
    assert not [url for url in sender.asked if url.endswith("/load")]


def test_a_pasted_one_time_link_waits_for_a_press(visit: Visiting) -> None:
    reader = visit().open()
    _paste(reader, f"{reader.url}/#wUrp.once")
    expect(reader.part("load-notice")).to_have_text(EN["once_link"])
    assert not [url for url in reader.asked if url.endswith("/load")]


def test_a_russian_keyboard_types_a_code_anywhere(visit: Visiting) -> None:
    reader = visit().open()
    with reader.page.expect_request("**/api/v1/load") as asked:
        reader.page.evaluate(
            """(keys) => keys.forEach(([key, code, shiftKey]) => {
                const event = { key, code, shiftKey, bubbles: true, cancelable: true };
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", event));
            })""",
            [["ц", "KeyW", False], ["Г", "KeyU", True], ["к", "KeyR", False], ["з", "KeyP", False]],
        )
    assert json.loads(asked.value.post_data or "")["code"] == "wUrp"


def test_the_only_copy_is_asked_for_again_when_another_code_is_typed(visit: Visiting) -> None:
    sender, reader = visit().open(), visit().open()
    reader.load(sender.save("only once", once=True))
    expect(reader.part("loaded-text")).to_have_value("only once")
    for code in ("zzaa", "zzab"):
        reader.part("code-field").fill(code)
        reader.part("load").click()
        expect(reader.part("load-alert")).to_have_text(EN["not_copied"])
    expect(reader.part("loaded-text")).to_have_value("only once")
    reader.part("copy-text").click()
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])


def test_the_last_shown_is_copied(visit: Visiting, live_server: Server) -> None:
    person = visit().open()
    person.load(save_by_api(live_server, "opened before"))
    expect(person.part("loaded-text")).to_have_value("opened before")
    code = person.save("another text")
    person.page.keyboard.press("Control+C")
    expect(person.part("saved-status")).to_have_text(EN["code_copied"])
    assert person.clipboard() == code


def test_a_text_pasted_anywhere_takes_two_chords_to_its_code_in_the_clipboard(visit: Visiting) -> None:
    sender = visit().open()
    _paste(sender, "see you there at noon")
    expect(sender.part("text")).to_have_value("see you there at noon")
    sender.page.keyboard.press("Control+Enter")
    expect(sender.part("copy-code")).to_be_focused()
    sender.page.keyboard.press("Control+C")
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    assert sender.clipboard() == sender.part("code").inner_text()


def test_one_click_makes_a_code_of_what_is_in_the_clipboard(visit: Visiting, live_server: Server) -> None:
    sender = visit().open()
    sender.page.evaluate("navigator.clipboard.writeText('from the clipboard')")
    sender.part("paste").click()
    expect(sender.part("copy-code")).to_be_focused()
    _, found = live_server.post("/api/v1/load", {"code": sender.part("code").inner_text()})
    assert found["text"] == "from the clipboard"


def test_a_clipboard_that_may_not_be_read_is_said(visit: Visiting) -> None:
    sender = visit()
    sender.page.add_init_script("Clipboard.prototype.readText = async () => { throw new DOMException('no') }")
    sender.open().part("paste").click()
    expect(sender.part("save-alert")).to_have_text(EN["paste_failed"].format(keys="Ctrl+V"))
    expect(sender.part("text")).to_be_focused()


def test_copying_takes_what_is_marked_and_else_all(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    reader.page.keyboard.type(save_by_api(live_server, "the whole text"))
    expect(reader.part("loaded-text")).to_be_focused()
    reader.page.keyboard.press("Control+C")
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])
    assert reader.clipboard() == "the whole text"
    reader.part("loaded-text").evaluate("(field) => field.setSelectionRange(4, 9)")
    reader.page.keyboard.press("Control+C")
    assert reader.clipboard() == "whole"


def test_a_wrong_code_stays_a_wrong_code(visit: Visiting) -> None:
    reader = visit().open()
    reader.page.keyboard.type("xTbh")
    expect(reader.part("load-alert")).to_have_text(EN["no_text"])
    expect(reader.part("code-field")).to_be_focused()
    expect(reader.part("code-hint")).to_have_text("You typed: small x, capital T, small b, small h")
    expect(reader.part("load-password")).to_be_hidden()
    # Selected, so that the next code replaces it.
    reader.page.keyboard.type("xtbh")
    expect(reader.part("code-field")).to_have_value("xtbh")


def _paste(visitor: Visit, text: str) -> None:
    visitor.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    visitor.page.keyboard.press("Control+V")
