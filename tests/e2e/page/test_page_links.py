"""Links to a text: they fill in the code, load nothing by themselves, and say what kind of text it is."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting


def test_a_link_fills_in_the_code_and_a_press_loads_it(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    first, second = sender.save("first"), None
    sender.part("again").click()
    second = sender.save("second")
    for loads, (code, text) in enumerate(((first, "first"), (second, "second"))):
        receiver.page.goto(f"{receiver.url}/#{code}")
        expect(receiver.part("code-field")).to_have_value(code)
        expect(receiver.part("load")).to_be_focused()
        assert receiver.page.url == f"{receiver.url}/"
        assert len([url for url in receiver.asked if url.endswith("/load")]) == loads
        receiver.page.keyboard.press("Enter")
        expect(receiver.part("loaded-text")).to_have_value(text)
    history = receiver.context.new_cdp_session(receiver.page).send("Page.getNavigationHistory")
    assert {entry["url"] for entry in history["entries"]} == {"about:blank", f"{receiver.url}/"}


def test_a_link_of_a_one_time_text_does_not_end_it(visit: Visiting) -> None:
    sender, scanner, receiver = visit().open(), visit(), visit().open()
    code = sender.save("only once", once=True)
    scanner.open(f"/#{code}")
    expect(scanner.part("load")).to_be_focused()
    scanner.page.wait_for_load_state("networkidle")
    assert not [url for url in scanner.asked if url.endswith("/load")]
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("only once")


def test_another_page_cannot_make_a_visitor_guess(visit: Visiting) -> None:
    victim = visit().open()
    elsewhere = "http://elsewhere.test/"
    asked: list[str] = []
    victim.context.on("request", lambda request: asked.append(request.url))
    page = victim.context.new_page()
    page.route(elsewhere, lambda route: route.fulfill(body="<button>go</button>", content_type="text/html"))
    page.goto(elsewhere)
    page.evaluate(
        "url => document.querySelector('button').addEventListener('click', () => { window.it = open(url) })",
        f"{victim.url}/#aaaa",
    )
    with victim.context.expect_page() as opened:
        page.locator("button").click()
    expect(opened.value.locator('[data-part="code-field"]')).to_have_value("aaaa")
    for code in ("zzaa", "zzab", "zzac"):
        page.evaluate("url => { window.it.location = url }", f"{victim.url}/#{code}")
    # The opener cannot control it (Cross-Origin-Opener-Policy), and nothing is loaded without a click.
    expect(opened.value.locator('[data-part="code-field"]')).to_have_value("aaaa")
    assert not [url for url in asked if url.endswith("/load")]


def test_a_link_to_a_sealed_text_says_so(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    code = sender.save("locked", password="open sesame")
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    assert sender.clipboard() == f"{sender.url}/#{code}.sealed"
    receiver.open(f"/#{code}.sealed")
    expect(receiver.part("load-password")).to_be_focused()
    receiver.page.keyboard.type("open sesame")
    receiver.page.keyboard.press("Enter")
    expect(receiver.part("loaded-text")).to_have_value("locked")
    receiver.answer(
        "load",
        200,
        {"text": "pay here", "once": False, "sealed": False, "expires_at": "2999-01-01T00:00:00Z"},
    )
    for _ in range(2):
        receiver.page.goto(f"{receiver.url}/#{code}.sealed")
        expect(receiver.part("code-field")).to_have_value(code)
        receiver.part("load").click()
        expect(receiver.part("load-alert")).to_have_text(EN["not_sealed"])
    expect(receiver.part("loaded-text")).to_have_value("locked")


def test_a_link_without_a_code_says_so(visit: Visiting) -> None:
    receiver = visit().open("/#%E0%A4%A")
    expect(receiver.part("load-alert")).to_have_text(EN["bad_code"])
    expect(receiver.part("code-field")).to_be_focused()


def test_a_one_time_link_asks_first(visit: Visiting) -> None:
    sender, reader = visit().open(), visit()
    code = sender.save("only once", once=True)
    expect(sender.part("saved-facts")).to_contain_text(EN["fact_once"])
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    assert sender.clipboard() == f"{sender.url}/#{code}.once"
    reader.open(f"/#{code}.once")
    expect(reader.part("load-notice")).to_have_text(EN["once_link"])
    expect(reader.part("load")).to_have_text(EN["once_link_show"])
    reader.page.keyboard.press("Enter")
    expect(reader.part("loaded-text")).to_have_value("only once")
    reader.part("copy-text").click()
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])


def test_a_link_may_carry_the_passphrase_and_says_so(visit: Visiting) -> None:
    sender, reader = visit().open().options(), visit()
    sender.part("phrase").click()
    expect(sender.part("phrase-strength")).to_have_text(EN["phrase_strength"])
    sender.part("text").fill("for a friend")
    sender.part("save").click()
    expect(sender.part("copy-link-with-phrase")).to_be_visible()
    expect(sender.page.get_by_text(EN["link_with_phrase_hint"])).to_be_visible()
    sender.part("copy-link-with-phrase").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    link = sender.clipboard()
    assert re.search(r"#\w{4}\.sealed\.[a-z_]+(-[a-z_]+){4}$", link)
    reader.open(link.removeprefix(reader.url))
    assert reader.page.url == f"{reader.url}/"
    reader.page.keyboard.press("Enter")
    expect(reader.part("loaded-text")).to_have_value("for a friend")
    assert not [url for url in reader.asked if "sealed." in url.partition("#")[0]]


def test_a_link_to_an_encrypted_text_greets_in_a_neutral_tone(visit: Visiting) -> None:
    sender, reader = visit().open(), visit()
    code = sender.save("locked", password="open sesame")
    reader.open(f"/#{code}.sealed")
    expect(reader.part("load-notice")).to_have_text(EN["locked_link"])
    expect(reader.part("load-alert")).to_be_empty()
    expect(reader.part("load-password")).to_be_focused()
