"""Live transfers between two pages: the letters stay on the two computers, whatever is typed."""

from __future__ import annotations

import json
import re
import time
from statistics import median

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visit, Visiting

TEXT = "a text for the other computer\r\nwith é and 🎲"


class Wire:
    """Everything that the two pages send: addresses, headers and bodies."""

    def __init__(self, *visitors: Visit) -> None:
        self.requests: list[Request] = []
        for visitor in visitors:
            visitor.context.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def expect_nothing_of(self, *secrets: str) -> None:
        assert any("/live/" in request.url for request in self.requests)
        for request in self.requests:
            sent = f"{request.url} {json.dumps(request.all_headers())} {request.post_data or ''}"
            for secret in secrets:
                assert not re.search(rf"\b{re.escape(secret)}\b", sent), sent


def shown_code(visitor: Visit) -> str:
    """The live code on the screen."""
    expect(visitor.part("live-code")).to_be_visible()
    return visitor.part("live-code").inner_text()


def wrong(code: str, place: int = -1) -> str:
    """The live code with one letter that is another one."""
    letters = list(code)
    letters[place] = "a" if letters[place] != "a" else "b"
    return "".join(letters)


def type_code(visitor: Visit, code: str) -> None:
    visitor.part("code-field").fill(code)
    visitor.part("code-field").press("Enter")


def expect_handed_over(sender: Visit, receiver: Visit, text: str = TEXT) -> None:
    expect(receiver.part("loaded-text")).to_have_value(text.replace("\r\n", "\n"))
    expect(sender.part("live-status")).to_have_text(EN["live_arrived"])
    sender.part("live-cancel").click()
    expect(sender.part("text")).to_have_value("")
    # The only copy: without this the browser asks when the page closes.
    receiver.part("copy-text").click()


@pytest.fixture
def two(visit: Visiting) -> tuple[Visit, Visit]:
    return visit().open(), visit().open()


def hand_over(visitor: Visit, text: str = TEXT) -> str:
    visitor.part("text").fill(text)
    visitor.part("hand-over").click()
    return shown_code(visitor)


def test_hand_over(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    wire = Wire(*two)
    code = hand_over(sender)
    expect(sender.part("live-status")).to_have_text(EN["live_waiting"])
    expect(sender.part("save-form")).to_be_hidden()
    type_code(receiver, code)
    expect_handed_over(sender, receiver)
    wire.expect_nothing_of(code, code.split()[1], TEXT[:10])


def test_receive_here_and_the_text_is_there(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    wire = Wire(*two)
    receiver.part("receive-here").click()
    code = shown_code(receiver)
    sender.part("text").fill(TEXT)
    type_code(sender, code)
    expect(sender.part("hand-over")).to_have_text(EN["live_send"])
    expect(sender.part("hand-over")).to_be_focused()
    assert not any("/live/answer" in request.url for request in wire.requests)
    sender.part("hand-over").click()
    expect_handed_over(sender, receiver)
    wire.expect_nothing_of(code, code.split()[1], TEXT[:10])


def test_receive_here_and_the_text_comes_later(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    receiver.part("receive-here").click()
    type_code(sender, shown_code(receiver))
    expect(sender.part("text")).to_be_focused()
    expect(sender.part("save-notice")).to_have_text(EN["live_text_wanted"])
    sender.part("text").fill(TEXT)
    sender.part("hand-over").click()
    expect_handed_over(sender, receiver)


def test_two_slips_and_a_right_third_try(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    wire = Wire(*two)
    code = hand_over(sender)
    for place, left in ((-1, "2"), (-2, "1")):
        type_code(receiver, wrong(code, place))
        expect(receiver.part("load-alert")).to_have_text(EN["live_wrong_here"].replace("{count}", left))
        expect(receiver.part("code-field")).to_be_focused()
        expect(sender.part("live-status")).to_have_text(EN["live_wrong_there"].replace("{count}", left))
    type_code(receiver, code)
    expect_handed_over(sender, receiver)
    wire.expect_nothing_of(code.split()[1], wrong(code).split()[1], wrong(code, -2).split()[1])


def test_three_slips_end_it_and_the_text_is_still_there(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    code = hand_over(sender)
    for place in (-1, -2, -3):
        type_code(receiver, wrong(code, place))
        expect(receiver.part("load-alert")).not_to_be_empty()
    expect(sender.part("live-alert")).to_have_text(EN["live_no_tries"])
    sender.part("live-again").click()
    again = shown_code(sender)
    assert again != code
    type_code(receiver, again)
    expect_handed_over(sender, receiver)


@pytest.mark.parametrize("given", ["7 wUr", "7 wUrps", "7 w#Urp", "12345 wUrp", "7 wUrp 8"])
def test_what_begins_with_a_number_is_never_loaded(visit: Visiting, given: str) -> None:
    visitor = visit().open()
    wire = Wire(visitor)
    type_code(visitor, given)
    expect(visitor.part("load-alert")).to_have_text(EN["live_rule"])
    assert [request.url for request in wire.requests] == []


def test_a_number_without_a_meeting(visit: Visiting) -> None:
    visitor = visit().open()
    wire = Wire(visitor)
    type_code(visitor, "9876 wUrp")
    expect(visitor.part("load-alert")).to_have_text(EN["live_no_meeting"])
    wire.expect_nothing_of("wUrp")
    assert not any("/load" in request.url for request in wire.requests)


def test_a_live_code_goes_on_by_itself_when_it_is_complete(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    code = hand_over(sender)
    receiver.page.keyboard.type(code)
    expect_handed_over(sender, receiver)


def test_the_maker_is_loaded_again(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    code = hand_over(sender)
    sender.page.reload()
    assert shown_code(sender) == code
    type_code(receiver, code)
    expect_handed_over(sender, receiver)


def test_the_joiner_is_loaded_again(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    code = hand_over(sender)
    # The maker is away, so the joiner waits.
    sender.context.set_offline(True)
    type_code(receiver, code)
    expect(receiver.part("live-status")).to_have_text(EN["live_waiting"])
    receiver.page.reload()
    expect(receiver.part("live-status")).to_have_text(EN["live_waiting"])
    sender.context.set_offline(False)
    expect_handed_over(sender, receiver)


def test_cancel_keeps_the_text(visit: Visiting) -> None:
    visitor = visit().open()
    hand_over(visitor)
    visitor.part("live-cancel").click()
    expect(visitor.part("text")).to_be_focused()
    expect(visitor.part("text")).to_have_value(TEXT.replace("\r\n", "\n"))
    expect(visitor.part("live-panel")).to_be_hidden()
    assert visitor.page.evaluate("sessionStorage.getItem('live')") is None


def test_on_a_shared_computer_nothing_is_stored(two: tuple[Visit, Visit]) -> None:
    sender, receiver = two
    code = hand_over(sender)
    assert TEXT[:10] in sender.page.evaluate("JSON.stringify({ ...sessionStorage })")
    # While the transfer is under way.
    sender.part("not-my-computer").check()
    type_code(receiver, code)
    expect_handed_over(sender, receiver)
    assert sender.page.evaluate("Object.keys(sessionStorage)") == ["not-my-computer"]
    hand_over(sender)
    assert sender.page.evaluate("Object.keys(sessionStorage)") == ["not-my-computer"]
    sender.page.reload()
    expect(sender.part("text")).to_have_value("")
    expect(sender.part("live-panel")).to_be_hidden()
    sender.part("not-my-computer").uncheck()


def test_without_a_text_it_is_asked_for(visit: Visiting) -> None:
    visitor = visit().open()
    visitor.part("hand-over").click()
    expect(visitor.part("save-alert")).to_have_text(EN["empty_text"])


def test_an_older_service_has_no_buttons(visit: Visiting) -> None:
    visitor = visit()
    limits = {"min": 60, "default": 600, "max": 86_400, "max_sealed": 2_592_000}
    visitor.limits({"max_text_bytes": 1_048_576, "expires_in": limits})
    visitor.open()
    for name in ("hand-over", "receive-here"):
        expect(visitor.part(name)).to_be_hidden()
    type_code(visitor, "7 wUrp")
    expect(visitor.part("load-alert")).to_have_text(EN["live_unsupported"])


def test_a_browser_without_the_curve_offers_a_password(visit: Visiting) -> None:
    visitor = visit()
    visitor.page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    visitor.open().part("text").fill(TEXT)
    visitor.part("hand-over").click()
    expect(visitor.part("save-alert")).to_have_text(EN["live_impossible"])
    expect(visitor.part("password")).to_be_focused()


def test_how_long_it_takes(two: tuple[Visit, Visit]) -> None:
    """Between two computers that are both ready; printed, for times of this machine prove nothing."""
    sender, receiver = two
    wire = Wire(*two)
    seconds = []
    for _ in range(5):
        start = time.monotonic()
        code = hand_over(sender)
        type_code(receiver, code)
        expect(receiver.part("loaded-text")).to_have_value(TEXT.replace("\r\n", "\n"))
        seconds.append(time.monotonic() - start)
        expect_handed_over(sender, receiver)
        receiver.part("clear").click()
    calls = [request for request in wire.requests if "/api/" in request.url]
    size = sum(len(request.post_data or "") for request in calls)
    print(  # noqa: T201
        f"median {median(seconds):.2f} s, {len(calls) / 5:.0f} requests, {size / 5:.0f} bytes of bodies"
    )
    assert len(calls) / 5 < 60
