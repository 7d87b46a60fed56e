"""Live transfers between two browsers, each at the page or in the extension's window, both directions."""

from __future__ import annotations

from itertools import product

import pytest

from tests.e2e.extension.conftest import SURFACES, Browsers
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.test_live import PAGES, TEXT, expect_no_letters_in, shown_code
from tests.e2e.extension.user import Surface, User
from tests.support.process import wait_until


@pytest.fixture(params=product(SURFACES, repeat=2), ids="-".join)
def pair(request: pytest.FixtureRequest, browsers: Browsers, network: Relay) -> tuple[User, User]:
    """The maker in Chromium and the joiner in Firefox."""
    names: tuple[Surface, Surface] = request.param
    maker, joiner = (
        _user(browsers, browser, surface, network)
        for browser, surface in zip(("chromium", "firefox"), names, strict=True)
    )
    return maker, joiner


def _user(browsers: Browsers, browser: str, surface: Surface, network: Relay) -> User:
    driver = browsers(browser)
    driver.clean()
    user = User(driver, surface, network).set()
    driver.open(PAGES["popup"] if surface == "popup" else network.url + PAGES["page"])
    return user.wait()


def _type_code(maker: User, joiner: User) -> str:
    code = shown_code(maker)
    wait_until(lambda: maker.network.asked("live/offer"), "there is an offer")
    joiner.part("code-field").fill(str(code))
    joiner.part("load").click()
    return str(code.letters)


def test_the_one_that_shows_the_code_sends(pair: tuple[User, User], en: dict[str, str]) -> None:
    maker, joiner = pair
    maker.part("text").fill(TEXT)
    maker.part("hand-over").click()
    letters = _type_code(maker, joiner)
    joiner.part("loaded-text").holds(TEXT)
    maker.part("live-status").says(en["live_arrived"])
    expect_no_letters_in(maker.network, letters)


def test_the_one_that_shows_the_code_receives(pair: tuple[User, User], en: dict[str, str]) -> None:
    maker, joiner = pair
    maker.part("receive-here").click()
    joiner.part("text").fill(TEXT)
    letters = _type_code(maker, joiner)
    joiner.part("hand-over").says(en["live_send"])
    joiner.part("hand-over").click()
    maker.part("loaded-text").holds(TEXT)
    joiner.part("live-status").says(en["live_arrived"])
    expect_no_letters_in(maker.network, letters)
