"""The receipt of a saved text, and the footer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting

TEXT, PASSWORD = "the plain text", "open sesame"


def test_the_receipt_says_by_itself_what_became_of_the_text(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save(TEXT, password=PASSWORD)
    expect(sender.part("receipt")).to_have_text(EN["receipt_waiting"])
    receiver.unlock(code, PASSWORD)
    expect(receiver.part("loaded")).to_be_visible()
    expect(sender.part("receipt")).to_have_text(re.compile(r"^Opened at \d\d:\d\d\."))
    expect(sender.part("code")).to_be_visible()
    sender.part("again").click()
    sender.save("another")
    expect(sender.part("receipt")).to_have_text(EN["receipt_waiting"])


def test_the_receipt_is_asked_for_less_and_less_often_and_not_unseen(visit: Visiting) -> None:
    sender = visit()
    sender.page.clock.install()
    polls: list[Request] = []
    sender.page.on("request", lambda request: polls.append(request) if "/status" in request.url else None)
    sender.open().save(TEXT)

    def asked() -> int:
        sender.page.wait_for_load_state("networkidle")
        return sum(url.endswith("/status") for url in sender.asked)

    for _ in range(60):
        sender.page.clock.run_for(1_000)
        # The page plans the next request when it has this answer, which takes real time.
        for poll in polls:
            poll.response()
    assert 5 <= asked() <= 8
    sender.page.evaluate("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })")
    for _ in range(3):
        sender.page.clock.run_for(60_000)
    before = asked()
    sender.page.clock.run_for(60_000)
    assert asked() == before


@pytest.mark.parametrize(
    ("changed", "said", "heading"),
    [
        ({"refused": 1}, ["receipt_waiting", "receipt_refused_one"], "your_code"),
        ({"refused": 2}, ["receipt_waiting", "receipt_refused_other"], "your_code"),
        ({"state": "expired"}, ["receipt_waiting", "receipt_expired"], "expired"),
        ({"state": "deleted"}, ["receipt_waiting", "receipt_deleted"], "deleted"),
        ({"state": "read"}, ["receipt_read"], "read"),
    ],
)
def test_every_state_of_a_receipt_has_its_words(
    visit: Visiting, changed: dict[str, object], said: list[str], heading: str
) -> None:
    sender = visit().open()
    status = {"state": "waiting", "first_loaded_at": None, "refused": 0}
    sender.answer("status", 200, {**status, "expires_at": "2999-01-01T00:00:00Z", **changed})
    sender.save(TEXT)
    facts = " ".join(EN[key] for key in said).format(count=changed.get("refused"))
    expect(sender.part("receipt")).to_have_text(facts)
    expect(sender.part("saved-heading")).to_have_text(EN[heading])


def test_a_failed_receipt_request_shows_no_error(visit: Visiting) -> None:
    sender = visit()
    sender.page.clock.install()
    sender.open()
    sender.answer("status", 503, {}, **{"Retry-After": "2"})
    with sender.page.expect_response("**/api/v1/status"):
        sender.save(TEXT)
        sender.page.clock.run_for(4_000)
    expect(sender.part("saved-alert")).to_be_empty()
    sender.answer("status", 404, {"type": "urn:saver:problem:no-text"})
    for _ in range(20):
        sender.page.clock.run_for(1_000)
    expect(sender.part("receipt")).to_have_text(EN["receipt_unknown"])
    expect(sender.part("code")).to_be_visible()


@pytest.mark.parametrize(
    ("contact", "terms", "links"),
    [
        ("", "", []),
        ("abuse@example.org", "https://example.org/t", ["mailto:abuse@example.org", "https://example.org/t"]),
        ("https://example.org/report", "", ["https://example.org/report"]),
        ("+49 30 1234", "http://example.org/t", []),
        ("javascript:alert(1)//@example.org", "javascript:alert(1)", []),
        ("<b>x</b>", "data:text/html,x", []),
    ],
)
def test_the_footer_says_who_runs_the_service(
    visit: Visiting, contact: str, terms: str, links: list[str]
) -> None:
    visitor = visit()
    lives = {"min": 60, "default": 600, "max": 86_400, "max_sealed": 2_592_000}
    limits = {"max_text_bytes": 1_000, "expires_in": lives, "contact": contact, "terms_url": terms}
    visitor.limits(limits)
    visitor.open()
    shown = visitor.page.locator("footer a:visible")
    assert [link.get_attribute("href") for link in shown.all()] == links
    assert all("noopener" in str(link.get_attribute("rel")) for link in shown.all())
    if contact:
        expect(visitor.part("report")).to_have_text(f"{EN['report']} {contact}")
    expect(visitor.part("report")).to_be_visible(visible=bool(contact))
    expect(visitor.part("terms")).to_be_visible(visible=terms.startswith("https:"))
