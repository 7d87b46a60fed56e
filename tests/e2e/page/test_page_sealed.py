"""What the page keeps to itself: sealing, one-time texts, writes that come again, the receipt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from playwright.sync_api import Request, Route, expect

from tests.support import browser as browsers
from tests.support.browser import LOCALES, Visit, Visiting
from tests.support.server import ROOT, Server

browser, visit = browsers.browser, browsers.visit

MESSAGES = {
    language: json.loads((ROOT / "extension" / "ui" / f"{language}.json").read_text("utf-8"))
    for language in LOCALES
}
EN = MESSAGES["en"]
TEXT, PASSWORD = "the plain text", "open sesame"
# What a browser has in a page over plain HTTP.
UNSAFE = """
    Object.defineProperty(Crypto.prototype, "subtle", { get: () => undefined });
    delete Crypto.prototype.randomUUID;
"""
UUID_OF_A_WRITE = "idempotency-key"


# Sealing


def test_neither_password_nor_text_leaves_the_browser(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    with _sent_by(sender) as sent:
        code = sender.save(TEXT, password=PASSWORD)
    body = _body(sent[0])
    assert sorted(body) == ["expires_in", "proof", "text"]
    assert str(body["text"]).startswith("ey")
    with _sent_by(receiver) as asked:
        receiver.load(code)
        receiver.part("has-password").click()
        for password in ("wrong", PASSWORD):
            receiver.part("load-password").fill(password)
            with receiver.page.expect_response("**/api/v1/load"):
                receiver.part("load").click()
            expect(receiver.part("load")).to_be_enabled()
        expect(receiver.part("loaded-text")).to_have_value(TEXT)
    assert [sorted(_body(request)) for request in asked] == [
        ["claim", "code"],
        ["claim", "code", "proof"],
        ["claim", "code", "proof"],
    ]
    for request in sent + asked:
        assert not [secret for secret in (TEXT, PASSWORD, "wrong") if secret in (request.post_data or "")]


def test_a_text_that_the_server_sealed_opens_here_and_the_other_way_round(
    visit: Visiting, live_server: Server
) -> None:
    somebody = visit().open()
    _, written = live_server.post("/api/v1/write", {"text": TEXT, "password": "café"})
    somebody.unlock(str(written["code"]), "cafe\u0301")
    expect(somebody.part("loaded-text")).to_have_value(TEXT)
    code = somebody.save("by the page", password=PASSWORD)
    _, found = live_server.post("/api/v1/load", {"code": code, "password": PASSWORD})
    assert (found["text"], found["sealed"]) == ("by the page", False)


@pytest.mark.parametrize(
    "weak", [{"iterations": 1}, {"iterations": 599_999}, {"name": "PBKDF2-SHA1"}, {"salt": "AAAA"}]
)
def test_a_weak_derivation_is_refused_before_a_proof_is_sent(
    visit: Visiting, weak: dict[str, object]
) -> None:
    receiver = visit()
    seal = {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": "2w3rrBfulGZazvU9UkkE-Q", **weak}
    receiver.answer("load", 404, {"type": "urn:saver:problem:no-text", "seal": seal})
    receiver.open()
    with _sent_by(receiver) as sent:
        receiver.unlock("wUrp", PASSWORD)
        expect(receiver.part("load-alert")).to_have_text(EN["weak_seal"])
    assert [sorted(_body(request)) for request in sent] == [["claim", "code"]]


@pytest.mark.parametrize("sealed", [False, True])
def test_neither_an_open_answer_to_a_proof_nor_a_broken_one_is_shown(visit: Visiting, sealed: bool) -> None:
    receiver = visit().open()
    answer = {"text": "a.b.c", "expires_at": "2999-01-01T00:00:00Z", "once": False, "sealed": sealed}

    def reply(route: Route) -> None:
        if "proof" in _body(route.request):
            route.fulfill(json=answer)
        else:
            route.continue_()

    receiver.page.route("**/api/v1/load", reply)
    receiver.unlock("wUrp", PASSWORD)
    expect(receiver.part("load-alert")).to_have_text(EN["broken_seal" if sealed else "not_sealed"])
    expect(receiver.part("loaded")).to_be_hidden()


def test_sealing_says_that_it_is_under_way(visit: Visiting) -> None:
    sender = visit()
    # WebCrypto that waits until it is let go on.
    sender.page.add_init_script("""
        const derive = SubtleCrypto.prototype.deriveBits;
        const held = new Promise((go) => (window.go = go));
        SubtleCrypto.prototype.deriveBits = async function (...given) {
            await held;
            return derive.apply(this, given);
        };
    """)
    sender.open().options().part("text").fill(TEXT)
    sender.part("password").fill(PASSWORD)
    sender.part("save").click()
    expect(sender.part("save")).to_have_text(EN["sealing"])
    expect(sender.part("save")).to_be_disabled()
    expect(sender.part("save-form")).to_have_attribute("aria-busy", "true")
    sender.page.evaluate("go()")
    expect(sender.part("copy-code")).to_be_focused()
    sender.part("again").click()
    expect(sender.part("save")).to_have_text(EN["save"])


@pytest.mark.parametrize("language", LOCALES)
def test_where_nothing_can_be_sealed_the_page_says_so_and_the_server_seals(
    visit: Visiting, language: str
) -> None:
    somebody, words = visit(language), MESSAGES[language]
    somebody.page.add_init_script(UNSAFE)
    somebody.open().options()
    expect(somebody.part("password-hint")).to_have_text(words["password_hint_unsafe"])
    expect(somebody.part("password-hint")).to_be_visible()
    with _sent_by(somebody) as sent:
        code = somebody.save(TEXT, password=PASSWORD)
    assert _body(sent[0])["password"] == PASSWORD
    somebody.load(code)
    somebody.part("has-password").click()
    expect(somebody.part("password-row-hint")).to_have_text(words["load_hint_unsafe"])
    expect(somebody.part("password-row-hint")).to_be_visible()
    somebody.part("load-password").fill(PASSWORD)
    somebody.part("load").click()
    expect(somebody.part("loaded-text")).to_have_value(TEXT)


def test_where_texts_are_sealed_the_page_says_that(visit: Visiting) -> None:
    somebody = visit().open()
    expect(somebody.part("password-hint")).to_have_text(EN["password_hint"])
    somebody.load("wUrp")
    somebody.part("has-password").click()
    expect(somebody.part("load-password")).to_be_visible()
    expect(somebody.part("password-row-hint")).to_be_hidden()


# Writes that come again


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_write_whose_answer_was_lost_is_sent_again_and_leases_once(visit: Visiting, password: str) -> None:
    sender, codes = visit(), []

    def lose(route: Route) -> None:
        codes.append(route.fetch().json()["code"])
        route.abort()

    sender.page.route("**/api/v1/write", lose)
    sender.open().options()
    with _sent_by(sender) as sent:
        sender.part("text").fill(TEXT)
        sender.part("password").fill(password)
        for _ in range(2):
            sender.part("save").click()
            expect(sender.part("save-alert")).to_have_text(EN["unreachable"])
            expect(sender.part("save")).to_be_enabled()
        sender.page.unroute("**/api/v1/write")
        codes.append(sender.save(TEXT, password=password))
    # Three tries each time that it was asked for, and the one that was answered.
    assert (len(codes), len(set(codes))) == (7, 1)
    assert len({request.post_data for request in sent}) == 1
    assert len({UUID(request.headers[UUID_OF_A_WRITE]) for request in sent}) == 1


def test_a_write_whose_answer_was_lost_once_is_saved_all_the_same(visit: Visiting) -> None:
    sender, codes = visit(), []

    def lose(route: Route) -> None:
        codes.append(route.fetch().json()["code"])
        route.abort()

    sender.page.route("**/api/v1/write", lose, times=1)
    codes.append(sender.open().save(TEXT, password=PASSWORD))
    assert (len(codes), len(set(codes))) == (2, 1)


def test_what_was_changed_is_another_write(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.answer("write", 503, {})
    with _sent_by(sender) as sent:
        sender.part("text").fill(TEXT)
        changes: list[Callable[[], None]] = [
            lambda: None,
            lambda: None,
            lambda: sender.part("text").fill("another"),
            lambda: sender.part("password").fill(PASSWORD),
            lambda: sender.page.get_by_label("3 hr").check(),
            lambda: sender.part("once").check(),
        ]
        for change in changes:
            change()
            with sender.page.expect_response("**/api/v1/write"):
                sender.part("save").click()
            expect(sender.part("save")).to_be_enabled()
    keys = [request.headers[UUID_OF_A_WRITE] for request in sent]
    assert (keys[0] == keys[1], len(set(keys))) == (True, 5)


# One-time texts


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_one_time_text_has_one_reader(visit: Visiting, password: str) -> None:
    sender, first, second = visit().open(), visit().open(), visit().open()
    code = sender.save(TEXT, password=password, once=True)
    with first.page.expect_response("**/api/v1/ack") as acknowledged:
        if password:
            first.unlock(code, password)
        else:
            first.load(code)
    assert acknowledged.value.status == 204
    expect(first.part("loaded-text")).to_have_value(TEXT)
    expect(first.part("one-time")).to_have_text(EN["one_time"])
    expect(first.part("loaded-left")).to_be_empty()
    second.load(code)
    expect(second.part("load-alert")).to_have_text(EN["no_text"])
    expect(sender.part("saved-heading")).to_have_text(EN["read"])
    expect(sender.part("receipt")).to_have_text(re.compile(r"^Opened at \d\d:\d\d\. Read and gone\."))
    expect(sender.part("code")).to_be_hidden()


def test_a_lost_answer_does_not_lose_a_one_time_text(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    code = sender.save(TEXT, once=True)

    def lose(route: Route) -> None:
        assert route.fetch().ok
        route.abort()

    receiver.page.route("**/api/v1/load", lose, times=3)
    receiver.open()
    receiver.load(code)
    expect(receiver.part("load-waiting")).to_have_text(EN["waiting_again"])
    expect(receiver.part("load-alert")).to_have_text(EN["load_unreachable"])
    expect(receiver.part("load-waiting")).to_be_empty()
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value(TEXT)
    expect(receiver.part("one-time")).to_be_visible()


def test_a_failed_acknowledgement_is_sent_once_more_and_nobody_is_bothered(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    code = sender.save(TEXT, once=True)
    receiver.page.route("**/api/v1/ack", lambda route: route.abort(), times=1)
    receiver.open()
    with receiver.page.expect_response("**/api/v1/ack") as acknowledged:
        receiver.load(code)
    assert acknowledged.value.status == 204
    expect(receiver.part("load-alert")).to_be_empty()


def test_an_ordinary_text_is_not_acknowledged(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(TEXT))
    expect(receiver.part("loaded")).to_be_visible()
    expect(receiver.part("one-time")).to_be_hidden()
    assert not [url for url in receiver.asked if url.endswith("/ack")]


# The receipt


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
    sender.open().save(TEXT)

    def asked() -> int:
        sender.page.wait_for_load_state("networkidle")
        return sum(url.endswith("/status") for url in sender.asked)

    for _ in range(60):
        sender.page.clock.run_for(1_000)
    assert 5 <= asked() <= 8
    sender.page.evaluate("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })")
    for _ in range(3):
        sender.page.clock.run_for(60_000)
    before = asked()
    sender.page.clock.run_for(60_000)
    assert asked() == before


@pytest.mark.parametrize(
    ("told", "said", "heading"),
    [
        ({"refused": 1}, ["receipt_waiting", "receipt_refused_one"], "your_code"),
        ({"refused": 2}, ["receipt_waiting", "receipt_refused_other"], "your_code"),
        ({"state": "expired"}, ["receipt_waiting", "receipt_expired"], "expired"),
        ({"state": "deleted"}, ["receipt_waiting", "receipt_deleted"], "deleted"),
        ({"state": "read"}, ["receipt_read"], "read"),
    ],
)
def test_every_state_of_a_receipt_has_its_words(
    visit: Visiting, told: dict[str, object], said: list[str], heading: str
) -> None:
    sender = visit().open()
    status = {"state": "waiting", "first_loaded_at": None, "refused": 0}
    sender.answer("status", 200, {**status, "expires_at": "2999-01-01T00:00:00Z", **told})
    sender.save(TEXT)
    facts = " ".join(EN[key] for key in said).format(count=told.get("refused"))
    expect(sender.part("receipt")).to_have_text(facts)
    expect(sender.part("saved-heading")).to_have_text(EN[heading])


def test_a_receipt_that_nobody_has_asked_for_fails_silently(visit: Visiting) -> None:
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


# Who runs the service


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
    told = {"max_text_bytes": 1_000, "expires_in": lives, "contact": contact, "terms_url": terms}
    visitor.limits(told)
    visitor.open()
    shown = visitor.page.locator("footer a:visible")
    assert [link.get_attribute("href") for link in shown.all()] == links
    assert all("noopener" in str(link.get_attribute("rel")) for link in shown.all())
    if contact:
        expect(visitor.part("report")).to_have_text(f"{EN['report']} {contact}")
    expect(visitor.part("report")).to_be_visible(visible=bool(contact))
    expect(visitor.part("terms")).to_be_visible(visible=terms.startswith("https:"))


@contextmanager
def _sent_by(visitor: Visit) -> Iterator[list[Request]]:
    """The requests with a body, as they are sent."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request)

    visitor.page.on("request", note)
    yield sent
    visitor.page.remove_listener("request", note)


def _body(request: Request) -> dict[str, object]:
    body: dict[str, object] = json.loads(request.post_data or "{}")
    return body
