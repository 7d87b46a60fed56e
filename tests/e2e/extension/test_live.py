"""Live transfers of the extension's window and of the page, in both browsers, with a client in Python."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.codes import LiveCode
from saver.live_transfer.errors import WrongLettersError
from tests.e2e.extension.driver import Driver
from tests.e2e.extension.relay import NOTHING, Relay
from tests.e2e.extension.user import Surface, User
from tests.support.live_http import live_tools
from tests.support.process import wait_until

TEXT = "one text\nwith é and 🎲"
WORDS = "one text"
LIVE_CODE = re.compile(r"\d{1,4} [a-zA-Z]{4}")
PAGES = {"popup": "popup.html?live", "page": "/"}


@pytest.fixture
def live_user(driver: Driver, surface: Surface, network: Relay) -> User:
    """A user at the page, or at the extension's window for live transfers."""
    user = User(driver, surface, network).set()
    driver.open(PAGES["popup"] if surface == "popup" else network.url + PAGES["page"])
    return user.wait()


def in_background(action: Callable[..., object], *given: object) -> Future[object]:
    """The other computer goes on by itself."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(action, *given)
    pool.shutdown(wait=False)
    return future


def joiner(user: User, code: LiveCode, offers: int = 1) -> Joiner:
    """The other side; people type slower than this many offers come."""
    wait_until(lambda: len(user.network.asked("live/offer")) >= offers, "there is an offer")
    return Joiner(live_tools(user.network.url), code, Attempts(time.monotonic))


def shown_code(user: User) -> LiveCode:
    user.part("live-code").says(LIVE_CODE)
    return LiveCode.parse(user.part("live-code").now.text)


def expect_no_letters_in(network: Relay, *letters: str) -> None:
    for each in network.passed:
        sent = f"{each.path}\n{each.headers}\n{each.body.decode()}"
        assert not re.search(rf"\b({'|'.join(letters)})\b", sent), each.path


def test_it_shows_a_code_and_sends(live_user: User, en: dict[str, str]) -> None:
    live_user.part("text").fill(TEXT)
    live_user.part("hand-over").click()
    code = shown_code(live_user)
    assert joiner(live_user, code).receive() == TEXT
    live_user.part("live-status").says(en["live_arrived"])
    live_user.part("live-cancel").click()
    live_user.part("text").holds("")
    expect_no_letters_in(live_user.network, str(code.letters))


def test_it_shows_a_code_and_receives(live_user: User) -> None:
    live_user.part("receive-here").click()
    code = shown_code(live_user)
    joiner(live_user, code).hand_over(TEXT)
    live_user.part("loaded-text").holds(TEXT)
    expect_no_letters_in(live_user.network, str(code.letters))


def test_a_code_is_typed_and_it_receives(live_user: User) -> None:
    maker = Maker.open(live_tools(live_user.network.url), "sender")
    sent = in_background(maker.hand_over, TEXT)
    live_user.part("code-field").fill(str(maker.live_code))
    live_user.part("load").click()
    live_user.part("loaded-text").holds(TEXT)
    sent.result(30)
    expect_no_letters_in(live_user.network, str(maker.live_code.letters))


def test_a_code_is_typed_and_it_sends_after_a_press(live_user: User, en: dict[str, str]) -> None:
    maker = Maker.open(live_tools(live_user.network.url), "receiver")
    received = in_background(maker.receive)
    live_user.part("text").fill(TEXT)
    live_user.part("code-field").fill(str(maker.live_code))
    live_user.part("load").click()
    live_user.part("hand-over").says(en["live_send"])
    assert not live_user.network.asked("live/answer")
    live_user.part("hand-over").click()
    assert received.result(30) == TEXT
    live_user.part("live-status").says(en["live_arrived"])


def test_a_slip_of_the_other_side(live_user: User, en: dict[str, str]) -> None:
    live_user.part("text").fill(TEXT)
    live_user.part("hand-over").click()
    code = shown_code(live_user)
    letters = str(code.letters)
    slip = LiveCode.parse(f"{code.number} {letters[:3]}{'a' if letters[3] != 'a' else 'b'}")
    with pytest.raises(WrongLettersError):
        joiner(live_user, slip).receive()
    live_user.part("live-status").says(en["live_wrong_there"].replace("{count}", "2"))
    assert joiner(live_user, code, 2).receive() == TEXT


def test_the_service_is_away_for_a_while(live_user: User, en: dict[str, str]) -> None:
    live_user.part("text").fill(TEXT)
    live_user.part("hand-over").click()
    code = shown_code(live_user)
    wait_until(lambda: live_user.network.asked("live/offer"), "there is an offer")
    live_user.network.fail("live/poll", NOTHING, times=6)
    before = len(live_user.network.asked("live/poll"))
    wait_until(lambda: len(live_user.network.asked("live/poll")) > before + 6, "it has asked again")
    live_user.part("live-status").says(en["live_waiting"])
    assert joiner(live_user, code).receive() == TEXT


def test_a_popup_opens_a_window_that_goes_on(popup_user: User) -> None:
    """The text and the letters are in no address, and nothing of them stays where they were handed over."""
    popup_user.part("text").fill(TEXT)
    popup_user.part("hand-over").click()
    wait_until(lambda: popup_user.driver.stored("session").get("live"), "the window has begun")
    state = popup_user.driver.stored("session")["live"]
    assert "liveRequest" not in popup_user.driver.stored("session")
    code = LiveCode.parse(f"{state['number']} {state['letters']}")
    assert joiner(popup_user, code).receive() == TEXT
    wait_until(lambda: not popup_user.driver.stored("session").get("live"), "it has ended")


def stored(user: User) -> str:
    """All that the extension has stored."""
    return json.dumps([user.driver.stored(), user.driver.stored("session")], ensure_ascii=False)


@pytest.mark.parametrize("surface", ["popup"])
def test_on_a_shared_computer_the_window_stores_nothing(live_user: User, en: dict[str, str]) -> None:
    live_user.set(sharedComputer=True)
    live_user.driver.open(PAGES["popup"])
    live_user.wait().part("text").fill(TEXT)
    live_user.part("hand-over").click()
    code = shown_code(live_user)
    during = stored(live_user)
    assert joiner(live_user, code).receive() == TEXT
    live_user.part("live-status").says(en["live_arrived"])
    assert not [part for part in (WORDS, str(code.letters)) if part in during + stored(live_user)]
    live_user.driver.open(PAGES["popup"])
    live_user.wait().part("text").holds("")


@pytest.mark.parametrize("surface", ["popup"])
def test_a_window_that_is_open_stores_nothing_after_a_wipe(live_user: User) -> None:
    live_user.part("text").fill(TEXT)
    live_user.part("hand-over").click()
    shown_code(live_user)
    assert WORDS in stored(live_user)
    live_user.driver.open("options.html", over=True)
    live_user.part("server").holds(f"{live_user.network.url}/")
    live_user.part("wipe").click()
    wait_until(lambda: WORDS not in stored(live_user), "it is wiped")
    live_user.close()
    # The window has forgotten it too, so it cannot store it again.
    live_user.part("choose").appears()
    live_user.part("text").holds("")
    assert WORDS not in stored(live_user)
