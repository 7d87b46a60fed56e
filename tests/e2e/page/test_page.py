"""A text is saved and loaded on the page at ``/``, in a real browser against a real service."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.page.helpers import EN, put_text
from tests.support.browser import Visiting
from tests.support.server import Server

CODE = re.compile("^[a-zA-Z]{4}$")
MAX_BYTES = 1_048_576


def test_a_text_is_saved_and_loaded_on_another_computer(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("Hello over there")
    assert CODE.match(code)
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("Hello over there")
    expect(receiver.part("loaded-text")).to_be_focused()
    expect(receiver.part("loaded-heading")).to_have_text(code)
    expect(receiver.part("loaded-size")).to_have_text("16 characters")
    expect(receiver.part("loaded-left")).to_have_text(re.compile(r"^Gone in (10|9) minutes$"))
    receiver.part("clear").click()
    expect(receiver.part("loaded")).to_be_hidden()
    expect(receiver.part("loaded-text")).to_have_value("")
    expect(receiver.part("code-field")).to_be_focused()


def test_below_a_path_everything_is_there_and_links_lead_there(visit: Visiting) -> None:
    sender, receiver = visit(), visit()
    for person in (sender, receiver):
        person.url += "/memo"
        # As a proxy does that removes the path.
        person.page.route(
            f"{person.url}/**", lambda route: route.continue_(url=route.request.url.replace("/memo/", "/"))
        )
    sender.open()
    code = sender.save("below a path")
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    assert sender.clipboard() == f"{sender.url}/#{code}"
    receiver.open(f"/#{code}").part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("below a path")


def test_markup_is_text_and_nothing_else(visit: Visiting) -> None:
    text = "<img src=x onerror='window.hit=1'><script>window.hit=1</script></textarea><b>&amp;\"'"
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(text))
    expect(receiver.part("loaded-text")).to_have_value(text)
    assert receiver.page.evaluate("window.hit") is None
    assert receiver.page.locator("img, b, body script").count() == 0


@pytest.mark.parametrize(
    "text",
    [
        "\u05d0\u05d1\n\u0645\u0631",
        "\U0001f469\u200d\U0001f467 \U0001f1f0\U0001f1f7 e\u0301",
        "\ufefftabs\t\u2028 and 가나다",
        " \n ",
    ],
)
def test_any_text_comes_back_as_it_was(visit: Visiting, text: str) -> None:
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(text))
    expect(receiver.part("loaded")).to_be_visible()
    assert receiver.part("loaded-text").input_value() == text
    receiver.part("copy-text").click()
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.clipboard() == text


def test_right_to_left_text_runs_so(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    for text, direction in [("\u0645\u0631\n1", "rtl"), ("hello", "ltr"), ("\u05d0" * 30_000, "rtl")]:
        put_text(sender, text)
        expect(sender.part("text")).to_have_css("direction", direction)
        receiver.load(sender.save(text))
        expect(receiver.part("loaded-text")).to_have_value(text)
        expect(receiver.part("loaded-text")).to_have_css("direction", direction)
        sender.part("again").click()


def test_line_ends_are_copied_as_they_were_sent(visit: Visiting, live_server: Server) -> None:
    _, written = live_server.post("/api/v1/write", {"text": "one\r\ntwo\rthree\n"})
    receiver = visit().open()
    receiver.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    receiver.load(str(written["code"]))
    expect(receiver.part("loaded-text")).to_have_value("one\ntwo\nthree\n")
    receiver.part("copy-text").click()
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.page.evaluate("window.copied") == "one\r\ntwo\rthree\n"


def test_the_largest_text_works_and_one_byte_more_is_not_sent(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    # Half in many lines, half in one: each can make a browser slow.
    text = "0123456789abcde\n" * (MAX_BYTES // 32) + "0123456789abcdef" * (MAX_BYTES // 32)
    put_text(sender, text + "x")
    expect(sender.part("counter")).to_have_text("1 MB of 1 MB")
    expect(sender.part("counter")).to_have_class(re.compile("over"))
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["too_large"].format(most="1 MB"))
    assert not any(url.endswith("/write") for url in sender.asked)
    sender.page.set_default_timeout(60_000)
    put_text(sender, text)
    sender.part("save").click()
    expect(sender.part("copy-code")).to_be_focused()
    receiver.load(sender.part("code").inner_text())
    expect(receiver.part("loaded")).to_be_visible()
    # Compared as a bool: a diff of two such texts would take minutes.
    assert (receiver.part("loaded-text").input_value() == text) is True


def test_the_whole_way_by_keyboard_alone(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    keys = sender.page.keyboard
    # Language, code, Open, receive here, text.
    for _ in range(5):
        keys.press("Tab")
    expect(sender.part("text")).to_be_focused()
    keys.type("by keyboard")
    for key in ("Tab", "Tab", "Tab", "Enter", "Tab", "ArrowRight", "Tab", "Space", "Space", "Tab"):
        keys.press(key)
    expect(sender.page.get_by_label("1 hr")).to_be_checked()
    expect(sender.part("once")).not_to_be_checked()
    expect(sender.part("password")).to_be_focused()
    keys.type("secret")
    keys.press("Enter")
    expect(sender.part("copy-code")).to_be_focused()
    keys.press("Enter")
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    code = sender.clipboard()

    keys = receiver.page.keyboard
    # No field has the focus.
    keys.type(code)
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    for key in ("Tab", "Tab", "Tab", "Enter"):
        keys.press(key)
    expect(receiver.part("load-password")).to_be_focused()
    keys.type("secret")
    keys.press("Enter")
    expect(receiver.part("loaded-text")).to_be_focused()
    expect(receiver.part("loaded-text")).to_have_value("by keyboard")
    keys.press("Enter")
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.clipboard() == "by keyboard"

    sender.page.bring_to_front()
    # Link, new text, QR code: the text of an encrypted one can be edited too.
    for key in ("Tab", "Tab", "Tab", "Tab", "Enter"):
        sender.page.keyboard.press(key)
    expect(sender.part("qr").locator("svg")).to_be_visible()
    expect(sender.part("receipt")).to_contain_text("Opened at")
    sender.part("again").focus()
    sender.page.keyboard.press("Enter")
    expect(sender.part("text")).to_be_focused()


def test_several_clicks_send_a_text_once(visit: Visiting) -> None:
    sender = visit()
    held: list[Route] = []
    sender.page.route("**/api/v1/write", lambda route: held.append(route))  # noqa: PLW0108 - it is given attributes
    sender.open().part("text").fill("hello")
    sender.part("save").click()
    expect(sender.part("save")).to_be_disabled()
    expect(sender.part("save-form")).to_have_attribute("aria-busy", "true")
    sender.part("text").press("Control+Enter")
    sender.part("text").press("x")
    expect(sender.part("text")).to_have_value("hello")
    assert len(held) == 1
    held[0].continue_()
    expect(sender.part("copy-code")).to_be_focused()
    assert len(held) == 1
