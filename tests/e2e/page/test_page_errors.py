"""Failures on the page: answers of the service, no connection, missing files."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting

NO_TEXT = {"type": "urn:saver:problem:no-text"}


@pytest.mark.parametrize("lost", ["ui/receipt.js", "core/seal.js", "ui/en.json", "web/page.js"])
def test_a_page_that_is_not_whole_says_so(visit: Visiting, lost: str) -> None:
    receiver = visit()
    receiver.page.route(f"**/{lost}", lambda route: route.abort())
    receiver.page.goto(receiver.url)
    expect(receiver.part("incomplete")).to_be_visible(timeout=30_000)
    expect(receiver.part("incomplete")).to_have_text(EN["incomplete"])
    # Chromium warns that a preloaded file was not used.
    receiver.faults = [each for each in receiver.faults if "was preloaded using link preload" not in each]


@pytest.mark.parametrize(
    "lost", ["ui/qr.js", "vendor/qr.js", "vendor/eff-short-wordlist-1.txt", "ui/ko.json"]
)
def test_what_is_not_needed_for_saving_may_be_lost(visit: Visiting, lost: str) -> None:
    sender = visit()
    sender.page.route(f"**/{lost}", lambda route: route.abort())
    sender.open()
    expect(sender.part("incomplete")).to_have_count(0)
    sender.part("language").select_option("ko")
    if lost == "ui/ko.json":
        expect(sender.part("page-status")).to_have_text(EN["language_failed"])
        expect(sender.part("language")).to_have_value("en")
    sender.part("language").select_option("en")
    if "wordlist" in lost:
        sender.options().part("phrase").click()
        expect(sender.part("phrase-strength")).to_have_text(EN["phrase_failed"])
    sender.save("hello")
    if lost.endswith("qr.js"):
        sender.part("show-qr").click()
        expect(sender.part("saved-status")).to_have_text(EN["qr_failed"])


Failure = tuple[int, object, dict[str, str], str, dict[str, str]]
# An answer of the service, and the message with its values that the page shows.
FAILURES: list[Failure] = [
    (404, NO_TEXT, {}, "no_text", {}),
    (422, {"errors": [{"pointer": "/code", "detail": "."}]}, {}, "bad_code", {}),
    (422, {"errors": [{"pointer": "/password", "detail": "."}]}, {}, "invalid_password", {}),
    (422, {}, {}, "invalid", {}),
    (429, {}, {"Retry-After": "43"}, "too_many", {"time": "43 seconds"}),
    (409, {}, {"Retry-After": "1"}, "unavailable", {"time": "1 second"}),
    (503, {}, {"Retry-After": "600"}, "unavailable", {"time": "10 minutes"}),
    (500, {}, {}, "fault", {}),
    (200, {"message": "log in to this network"}, {}, "fault", {}),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_load_that_fails_says_why(visit: Visiting, failure: Failure) -> None:
    status, document, headers, key, values = failure
    receiver = visit().open()
    receiver.answer("load", status, document, **headers)
    receiver.load("wUrp")
    expect(receiver.page.get_by_role("alert").filter(has_text=EN[key].format(**values))).to_be_in_viewport()
    expect(receiver.part("code-field")).to_have_value("wUrp")
    expect(receiver.part("load")).to_be_enabled()


@pytest.mark.parametrize(
    "failure",
    [
        (413, None, {}, "too_large", {"most": "1 MB"}),
        (422, {"errors": [{"pointer": "/text", "detail": "."}]}, {}, "invalid_text", {}),
        *FAILURES[2:],
    ],
)
def test_a_save_that_fails_says_why_and_keeps_what_was_typed(visit: Visiting, failure: Failure) -> None:
    status, document, headers, key, values = failure
    sender = visit().open()
    sender.answer("write", status, document, **headers)
    sender.options().page.get_by_label("3 hr").check()
    sender.part("text").fill("my draft")
    sender.part("password").fill("secret")
    sender.part("save").click()
    expect(sender.page.get_by_role("alert").filter(has_text=EN[key].format(**values))).to_be_in_viewport()
    expect(sender.part("text")).to_have_value("my draft")
    expect(sender.part("text")).to_be_editable()
    expect(sender.part("password")).to_have_value("secret")
    expect(sender.page.get_by_label("3 hr")).to_be_checked()
    sender.page.unroute("**/api/v1/write")
    sender.part("save").click()
    expect(sender.part("copy-code")).to_be_focused()
    expect(sender.part("save-alert")).to_be_empty()


def test_without_a_connection_nothing_is_lost(visit: Visiting) -> None:
    sender = visit().open()
    sender.part("text").fill("my draft")
    sender.context.set_offline(True)
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["unreachable"])
    expect(sender.part("save")).to_be_focused()
    sender.load("wUrp")
    expect(sender.part("load-alert")).to_have_text(EN["load_unreachable"])
    sender.context.set_offline(False)
    sender.part("save").click()
    expect(sender.part("copy-code")).to_be_focused()
    sender.context.set_offline(True)
    sender.part("extend").click()
    expect(sender.part("saved-alert")).to_have_text(EN["unreachable"])
    expect(sender.part("code")).to_be_visible()


def test_errors_that_need_no_request_are_shown_at_once(visit: Visiting) -> None:
    visitor = visit().open()
    visitor.part("save").click()
    expect(visitor.part("save-alert")).to_have_text(EN["empty_text"])
    expect(visitor.part("text")).to_be_focused()
    expect(visitor.part("text")).to_have_attribute("aria-invalid", "true")
    visitor.load("w0rp")
    expect(visitor.part("load-alert")).to_have_text(EN["code_digits"])
    expect(visitor.part("code-field")).to_have_value("w0rp")
    assert not any(url.endswith(("/write", "/load")) for url in visitor.asked)
