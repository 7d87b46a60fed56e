"""Loading on the page: how a code is read, when a password is asked for, what is never replaced."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting

# Key events of another layout; an input method shows the composed text at the end.
PRESS = """(field, [keys, composed]) => {
    for (const [key, code, shift] of keys) {
        const event = new KeyboardEvent("keydown", {
            key, code, shiftKey: Boolean(shift), isComposing: key === "Process",
            bubbles: true, cancelable: true,
        });
        field.dispatchEvent(event);
    }
    if (composed) field.value = composed;
}"""
# For each letter: the character of this layout, the name of the key, whether Shift is pressed.
LAYOUTS = {
    "russian": [("ц", "KeyW", 0), ("Г", "KeyU", 1), ("к", "KeyR", 0), ("з", "KeyP", 0)],
    "greek": [("ς", "KeyW", 0), ("Θ", "KeyU", 1), ("\u03c1", "KeyR", 0), ("π", "KeyP", 0)],
    "korean, composed": [
        ("Process", "KeyW", 0),
        ("Process", "KeyU", 1),
        ("Process", "KeyR", 0),
        ("Process", "KeyP", 0),
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_code_is_read_by_its_keys(visit: Visiting, layout: str) -> None:
    receiver = visit().open()
    composed = "져게" if "composed" in layout else ""
    receiver.part("code-field").evaluate(PRESS, [LAYOUTS[layout], composed])
    with receiver.page.expect_request("**/api/v1/load") as asked:
        receiver.part("load").click()
    assert json.loads(asked.value.post_data or "")["code"] == "wUrp"
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    expect(receiver.part("code-hint")).to_have_text("You typed: small w, capital U, small r, small p")


def test_a_password_is_asked_for_only_when_it_is_needed(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("locked", password="open sesame")
    expect(sender.part("password")).to_have_value("")
    expect(receiver.part("load-password")).to_be_hidden()
    receiver.load(code)
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    # A wrong code is more likely, so the password field opens only on request.
    expect(receiver.part("code-field")).to_be_focused()
    expect(receiver.part("load-password")).to_be_hidden()
    receiver.part("has-password").click()
    expect(receiver.part("load-password")).to_be_focused()
    receiver.page.keyboard.type("wrong")
    with receiver.page.expect_response("**/api/v1/load") as refused:
        receiver.page.keyboard.press("Enter")
    assert refused.value.status == 404
    expect(receiver.part("load-alert")).to_have_text(EN["no_text_password"])
    expect(receiver.part("load-password")).to_have_value("wrong")
    receiver.part("load-password").fill("open sesame")
    receiver.part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("locked")
    expect(receiver.part("load-password")).to_be_hidden()
    expect(receiver.part("load-password")).to_have_value("")
    expect(receiver.part("load-alert")).to_be_empty()


def test_a_one_time_text_is_not_replaced_without_a_question(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("only once", once=True)
    sender.part("again").click()
    other = sender.save("another")
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.part("clear").click()
    expect(receiver.part("clear")).to_have_text(EN["clear_confirm"])
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.load(other)
    expect(receiver.part("load-alert")).to_have_text(EN["not_copied"])
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("another")


@pytest.mark.parametrize(
    "given", [" w U r p ", "\uff57\uff35\uff52\uff50", "small w BIG U small r small p", "https://x/#wUrp"]
)
def test_a_code_is_read_as_people_write_it(visit: Visiting, given: str) -> None:
    receiver = visit().open()
    with receiver.page.expect_request("**/api/v1/load") as asked:
        receiver.load(given)
    body = json.loads(asked.value.post_data or "")
    assert (sorted(body), body["code"]) == (["claim", "code"], "wUrp")
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
