"""The options of a new text: lifetime, password, phrase."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting
from tests.support.server import ROOT

CHOICES = ["10 min", "1 hr", "3 hr", "24 hr", "7 days", "30 days"]
WORDS = ROOT / "extension" / "vendor" / "eff-short-wordlist-1.txt"


def test_a_phrase_is_easy_words_that_are_shown_once(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    sender.options().part("phrase").click()
    expect(sender.part("phrase-strength")).to_have_text(EN["phrase_strength"])
    expect(sender.part("password")).to_have_attribute("type", "text")
    phrase = sender.part("password").input_value()
    assert len(phrase.split(" ")) == 5
    assert set(phrase.split(" ")) <= set(WORDS.read_text().split("\n"))
    sender.part("text").fill("for a friend")
    sender.part("save").click()
    expect(sender.part("phrase-used")).to_have_text(phrase)
    # As a phone's keyboard types it.
    receiver.unlock(sender.part("code").inner_text(), phrase.capitalize().replace(" ", "  ") + " ")
    expect(receiver.part("loaded-text")).to_have_value("for a friend")
    sender.part("again").click()
    expect(sender.part("phrase-strength")).to_be_empty()
    expect(sender.part("phrase-used")).to_be_empty()
    sender.save("without one")
    expect(sender.part("saved-phrase")).to_be_hidden()


def test_the_strength_of_a_typed_password_is_not_shown(visit: Visiting) -> None:
    sender = visit().open()
    sender.options().part("phrase").click()
    expect(sender.part("phrase-strength")).not_to_be_empty()
    sender.part("password").press_sequentially("x")
    expect(sender.part("phrase-strength")).to_be_empty()


def test_a_password_can_be_shown_and_hides_itself_again(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.part("show-password").click()
    expect(sender.part("password")).to_have_attribute("type", "text")
    expect(sender.part("show-password")).to_have_accessible_name(EN["hide_password"])
    sender.save("hello", password="secret")
    sender.part("again").click()
    expect(sender.part("password")).to_have_attribute("type", "password")
    expect(sender.part("show-password")).to_have_text(EN["show"])


def test_the_chosen_lifetime_is_sent_and_the_default_returns(visit: Visiting) -> None:
    sender = visit().open()
    expect(sender.part("options-summary")).to_have_text("Keeps 10 minutes · no password")
    sender.options()
    expect(sender.page.locator(".choices label")).to_have_text(CHOICES)
    sender.page.get_by_label("3 hr").check()
    expect(sender.part("options-summary")).to_have_text("Keeps 3 hours · no password")
    with sender.page.expect_request("**/api/v1/write") as asked:
        sender.save("hello")
    assert asked.value.post_data_json == {"text": "hello", "expires_in": 10_800}
    sender.part("again").click()
    with sender.page.expect_request("**/api/v1/write") as asked:
        sender.save("again")
    assert asked.value.post_data_json == {"text": "again", "expires_in": 600}


def test_the_long_lifetimes_need_a_password(visit: Visiting) -> None:
    sender = visit().open().options()
    expect(sender.page.get_by_label("7 days")).to_be_disabled()
    expect(sender.part("long-hint")).to_have_text(EN["long_hint"].format(time="24 hours"))
    sender.part("password").fill("secret")
    expect(sender.part("long-hint")).to_be_hidden()
    sender.page.get_by_label("30 days").check()
    sender.part("password").fill("")
    expect(sender.page.get_by_label("30 days")).to_be_disabled()
    expect(sender.page.get_by_label("24 hr")).to_be_checked()
    sender.part("password").fill("secret")
    sender.page.get_by_label("7 days").check()
    with sender.page.expect_request("**/api/v1/write") as asked:
        sender.save("hello", password="secret")
    assert json.loads(asked.value.post_data or "")["expires_in"] == 604_800
    expect(sender.part("saved-facts")).to_contain_text(EN["fact_password"])
    sender.part("again").click()
    sender.options()
    expect(sender.page.get_by_label("7 days")).to_be_disabled()
    expect(sender.page.get_by_label("10 min")).to_be_checked()


def test_the_chance_of_a_guess_is_beside_the_password(visit: Visiting) -> None:
    sender = visit()
    lives = {"min": 60, "default": 600, "max": 3_600, "max_sealed": 7_200}
    sender.limits({"max_text_bytes": 2_048, "expires_in": lives, "guess_chance_today": 0.00025})
    sender.open().options()
    said = EN["guess_chance"].format(count="4,000")
    expect(sender.part("guess-chance")).to_have_text(said)
    expect(sender.part("password")).to_have_accessible_description(f"{said} {EN['password_hint']}")
    sender.part("language").select_option("ko")
    expect(sender.part("guess-chance")).to_contain_text("4,000분의 1")


def test_without_a_figure_of_the_service_there_is_no_chance(visit: Visiting) -> None:
    sender = visit().open().options()
    expect(sender.part("password-hint")).to_be_visible()
    expect(sender.part("guess-chance")).to_be_hidden()


def test_the_limits_are_the_services(visit: Visiting) -> None:
    sender = visit()
    lives = {"min": 60, "default": 300, "max": 3_600, "max_sealed": 7_200}
    sender.limits({"max_text_bytes": 2_048, "expires_in": lives})
    sender.open().options()
    expect(sender.page.locator(".choices label")).to_have_text(["5 min", "10 min", "1 hr"])
    expect(sender.part("long-hint")).to_be_hidden()
    expect(sender.page.get_by_label("5 min")).to_be_checked()
    sender.part("text").fill("가" * 683)
    expect(sender.part("counter")).to_have_text("3 kB of 2 kB")
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["too_large"].format(most="2 kB"))
