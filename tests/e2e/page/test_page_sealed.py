"""Texts with a password: the browser seals and opens them, and the page says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.page.helpers import EN, MESSAGES, body_of, sent_by
from tests.support.browser import LOCALES, Visiting
from tests.support.server import Server

TEXT, PASSWORD = "the plain text", "open sesame"
# A page over plain HTTP does not have these APIs.
UNSAFE = """
    Object.defineProperty(Crypto.prototype, "subtle", { get: () => undefined });
    delete Crypto.prototype.randomUUID;
"""


def test_neither_password_nor_text_leaves_the_browser(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    with sent_by(sender) as sent:
        code = sender.save(TEXT, password=PASSWORD)
    body = body_of(sent[0])
    assert sorted(body) == ["expires_in", "proof", "text"]
    assert str(body["text"]).startswith("ey")
    with sent_by(receiver) as asked:
        receiver.load(code)
        receiver.part("has-password").click()
        for password in ("wrong", PASSWORD):
            receiver.part("load-password").fill(password)
            with receiver.page.expect_response("**/api/v1/load"):
                receiver.part("load").click()
            expect(receiver.part("load")).to_be_enabled()
        expect(receiver.part("loaded-text")).to_have_value(TEXT)
    assert [sorted(body_of(request)) for request in asked] == [
        ["claim", "code"],
        ["claim", "code", "proof"],
        ["claim", "code", "proof"],
    ]
    for request in sent + asked:
        assert not [secret for secret in (TEXT, PASSWORD, "wrong") if secret in (request.post_data or "")]


def test_a_text_that_the_server_sealed_opens_here_and_the_other_way_round(
    visit: Visiting, live_server: Server
) -> None:
    visitor = visit().open()
    _, written = live_server.post("/api/v1/write", {"text": TEXT, "password": "café"})
    visitor.unlock(str(written["code"]), "cafe\u0301")
    expect(visitor.part("loaded-text")).to_have_value(TEXT)
    code = visitor.save("by the page", password=PASSWORD)
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
    with sent_by(receiver) as sent:
        receiver.unlock("wUrp", PASSWORD)
        expect(receiver.part("load-alert")).to_have_text(EN["weak_seal"])
    assert [sorted(body_of(request)) for request in sent] == [["claim", "code"]]


@pytest.mark.parametrize("sealed", [False, True])
def test_neither_an_open_answer_to_a_proof_nor_a_broken_one_is_shown(visit: Visiting, sealed: bool) -> None:
    receiver = visit().open()
    answer = {"text": "a.b.c", "expires_at": "2999-01-01T00:00:00Z", "once": False, "sealed": sealed}

    def reply(route: Route) -> None:
        if "proof" in body_of(route.request):
            route.fulfill(json=answer)
        else:
            route.continue_()

    receiver.page.route("**/api/v1/load", reply)
    receiver.unlock("wUrp", PASSWORD)
    expect(receiver.part("load-alert")).to_have_text(EN["broken_seal" if sealed else "not_sealed"])
    expect(receiver.part("loaded")).to_be_hidden()


def test_sealing_says_that_it_is_under_way(visit: Visiting) -> None:
    sender = visit()
    # WebCrypto that waits until the test continues it.
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
    visitor, words = visit(language), MESSAGES[language]
    visitor.page.add_init_script(UNSAFE)
    visitor.open().options()
    expect(visitor.part("password-hint")).to_have_text(words["password_hint_unsafe"])
    expect(visitor.part("password-hint")).to_be_visible()
    with sent_by(visitor) as sent:
        code = visitor.save(TEXT, password=PASSWORD)
    assert body_of(sent[0])["password"] == PASSWORD
    visitor.load(code)
    visitor.part("has-password").click()
    expect(visitor.part("password-row-hint")).to_have_text(words["load_hint_unsafe"])
    expect(visitor.part("password-row-hint")).to_be_visible()
    visitor.part("load-password").fill(PASSWORD)
    visitor.part("load").click()
    expect(visitor.part("loaded-text")).to_have_value(TEXT)


def test_where_texts_are_sealed_the_page_says_that(visit: Visiting) -> None:
    visitor = visit().open()
    expect(visitor.part("password-hint")).to_have_text(EN["password_hint"])
    visitor.load("wUrp")
    visitor.part("has-password").click()
    expect(visitor.part("load-password")).to_be_visible()
    expect(visitor.part("password-row-hint")).to_be_hidden()
