"""Visits of the page at ``/``: what they fetch, the language of the last one, and texts from a share menu."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Visit, Visiting

# Transferred at the first visit, with headers.
MAX_BYTES = 100_000
MAX_REQUESTS = 2
# What a browser sends when a text is shared with the installed page.
SHARE = """([address, fields, file]) => {
    const form = document.createElement("form");
    Object.assign(form, { action: address, method: "POST", enctype: "multipart/form-data" });
    for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement("textarea");
        Object.assign(input, { name, value });
        form.append(input);
    }
    if (file) {
        const input = Object.assign(document.createElement("input"), { type: "file", name: "files" });
        const chosen = new DataTransfer();
        chosen.items.add(new File([file], "text.txt", { type: "text/plain" }));
        input.files = chosen.files;
        form.append(input);
    }
    document.body.append(form);
    form.submit();
}"""
HAS_WORKER = "async () => (await navigator.serviceWorker.getRegistrations()).length"


class Wire:
    """The bytes that a page loads from the network and not from the cache, by URL."""

    def __init__(self, page: Page) -> None:
        self.bytes: dict[str, int] = {}
        self._addresses: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.requestServedFromCache", self._cached)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event: dict[str, dict[str, object]]) -> None:
        if not event["response"].get("fromDiskCache"):
            self._addresses[str(event["requestId"])] = str(event["response"]["url"])

    def _cached(self, event: dict[str, str]) -> None:
        self._addresses.pop(event["requestId"], None)

    def _finished(self, event: dict[str, object]) -> None:
        address = self._addresses.pop(str(event["requestId"]), None)
        if address:
            self.bytes[address] = int(str(event["encodedDataLength"]).partition(".")[0])


def test_the_first_visit_is_small_and_the_second_asks_for_next_to_nothing(visit: Visiting) -> None:
    visitor = visit()
    first = Wire(visitor.page)
    visitor.open().page.wait_for_load_state("networkidle")
    assert len(first.bytes) > 30
    assert sum(first.bytes.values()) <= MAX_BYTES, first.bytes
    page = visitor.context.new_page()
    second = Wire(page)
    page.goto(visitor.url)
    page.wait_for_load_state("networkidle")
    expect(page.locator('[data-part="incomplete"]')).to_have_count(0)
    assert 1 <= len(second.bytes) <= MAX_REQUESTS, second.bytes


def test_every_fetched_module_was_preloaded(visit: Visiting) -> None:
    visitor = visit().open()
    preloaded = set(re.findall(r'modulepreload" href="(.*?)"', visitor.page.content()))
    fetched = {url.removeprefix(f"{visitor.url}/") for url in visitor.asked if url.endswith(".js")}
    assert {path for path in fetched if not re.search(r"web/(page|language)\.js$", path)} == preloaded


# The language of the last visit


@pytest.fixture
def returning(visit: Visiting) -> Visit:
    """A visitor who chose Korean at the last visit."""
    visitor = visit("en")
    visitor.page.goto(f"{visitor.url}/healthz")
    visitor.page.evaluate("localStorage.setItem('lang', 'ko')")
    return visitor


def _forget(visitor: Visit) -> None:
    visitor.page.evaluate("localStorage.clear()")


def test_the_language_is_that_of_the_last_visit(returning: Visit) -> None:
    returning.open()
    expect(returning.page.locator("html")).to_have_attribute("lang", "ko")
    _forget(returning)


def test_a_code_in_the_address_comes_along_and_is_not_sent(returning: Visit) -> None:
    returning.page.goto(f"{returning.url}/#wUrp")
    expect(returning.page.locator("html")).to_have_attribute("lang", "ko")
    expect(returning.part("code-field")).to_have_value("wUrp")
    assert not [url for url in returning.asked if "wUrp" in url.partition("#")[0]]
    _forget(returning)


def test_a_language_in_the_address_is_newer(returning: Visit) -> None:
    returning.open("/?lang=en")
    expect(returning.page.locator("html")).to_have_attribute("lang", "en")
    _forget(returning)


def test_an_unknown_language_is_not_followed(returning: Visit) -> None:
    returning.page.evaluate("localStorage.setItem('lang', 'xx')")
    returning.open()
    expect(returning.page.locator("html")).to_have_attribute("lang", "en")
    _forget(returning)


def test_where_nothing_may_be_stored_the_page_works(visit: Visiting) -> None:
    visitor = visit().open()
    page = visitor.context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('refused') } })"
    )
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(visitor.url)
    expect(page.locator('[data-part="incomplete"]')).to_have_count(0)
    assert faults == []


# Texts from a share menu


def _install(visitor: Visit) -> Page:
    """A tab of a visitor who has just installed the page."""
    visitor.open()
    visitor.page.evaluate("window.dispatchEvent(new Event('appinstalled'))")
    visitor.page.evaluate("async () => void (await navigator.serviceWorker.ready)")
    return visitor.context.new_page()


def _share(page: Page, visitor: Visit, fields: dict[str, str], file: str = "") -> None:
    page.goto(f"{visitor.url}/healthz")
    page.evaluate(SHARE, [f"{visitor.url}/share", fields, file])
    page.wait_for_url(f"{visitor.url}/")


def test_a_shared_text_is_in_the_form_and_never_at_the_server(visit: Visiting) -> None:
    visitor = visit()
    _install(visitor)
    sent: list[str] = []
    visitor.context.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    for fields, file, text in (
        ({"title": "A title", "text": "line\r\n한국어 <b>", "url": ""}, "", "A title\nline\n한국어 <b>"),
        ({"title": "A page", "text": "", "url": "https://example.org/"}, "", "https://example.org/"),
        ({}, "from a file", "from a file"),
    ):
        page = visitor.context.new_page()
        wire = Wire(page)
        _share(page, visitor, fields, file)
        expect(page.locator('[data-part="text"]')).to_have_value(text)
        assert page.locator('[data-part="code-field"]').input_value() == ""
        assert not [url for url in wire.bytes if url.endswith("/share")]
    assert not [each for each in sent if "%ED%95%9C" in each]
    # It is not stored any more.
    page = visitor.context.new_page()
    page.goto(f"{visitor.url}/#share")
    expect(page.locator('[data-part="incomplete"]')).to_have_count(0)
    expect(page.locator('[data-part="text"]')).to_have_value("")


def test_without_a_worker_a_share_leads_to_the_page(visit: Visiting) -> None:
    visitor = visit().open()
    page = visitor.context.new_page()
    _share(page, visitor, {"text": "lost"})
    expect(page.locator('[data-part="incomplete"]')).to_have_count(0)
    expect(page.locator('[data-part="text"]')).to_have_value("")


def test_who_has_not_installed_the_page_has_no_worker(visit: Visiting) -> None:
    visitor = visit().open()
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.page.evaluate(HAS_WORKER) == 0


def test_the_worker_leaves_everything_else_alone(visit: Visiting) -> None:
    visitor = visit()
    page = _install(visitor)
    page.goto(visitor.url)
    page.reload()
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    receiver = visit().open()
    page.locator('[data-part="text"]').fill("through the worker")
    page.locator('[data-part="save"]').click()
    expect(page.locator('[data-part="copy-code"]')).to_be_focused()
    receiver.load(page.locator('[data-part="code"]').inner_text())
    expect(receiver.part("loaded-text")).to_have_value("through the worker")
