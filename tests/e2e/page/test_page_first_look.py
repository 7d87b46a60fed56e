"""What a visitor sees at once: the fields without scrolling, few words, nothing that moves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import LOCALES, Visiting

# Desktops, phones, a desktop at 200 % (half as many CSS pixels), a phone in landscape.
SIZES = [(1280, 720), (1366, 768), (390, 844), (360, 640), (640, 360), (844, 390), (667, 375)]
MAX_WORDS = 60
# The names of the parts that the lower edge of the viewport cuts off.
HIDDEN = """(names) => names.filter((name) => {
    const { top, bottom, width } = document.querySelector(`[data-part="${name}"]`).getBoundingClientRect();
    return width === 0 || top < 0 || bottom > innerHeight;
})"""


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    width, height = request.param
    return {"width": width, "height": height}


@pytest.mark.parametrize("language", LOCALES)
def test_what_matters_is_in_sight_without_scrolling(
    visit: Visiting, viewport: dict[str, int], language: str
) -> None:
    visitor = visit(language, viewport=viewport).open()
    for text in ("", "a text\n" * 50):
        visitor.part("text").fill(text)
        visitor.page.evaluate("scrollTo(0, 0)")
        assert visitor.page.evaluate(HIDDEN, ["text", "save", "code-field", "load"]) == [], text
    visitor.part("save").click()
    expect(visitor.part("copy-code")).to_be_focused()
    assert visitor.page.evaluate(HIDDEN, ["code", "spelled", "copy-code", "code-field"]) == []
    reader = visit(language, viewport=viewport).open()
    reader.load(visitor.part("code").inner_text())
    expect(reader.part("loaded-text")).to_be_focused()
    assert reader.page.evaluate(HIDDEN, ["loaded-heading", "copy-text"]) == []


def test_the_empty_page_says_little(visit: Visiting) -> None:
    visitor = visit().open()
    hidden = visitor.part("language").inner_text()
    shown = visitor.page.locator("body").inner_text().replace(hidden, "English")
    words = f"{shown} {visitor.part('text').get_attribute('placeholder')}"
    assert len(re.findall(r"\w+", words)) <= MAX_WORDS, words


def test_nothing_jumps_while_the_page_loads(visit: Visiting) -> None:
    visitor = visit()
    visitor.page.add_init_script("""
        window.shift = 0;
        const add = (list) => list.getEntries().forEach(({ value }) => (window.shift += value));
        new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    """)
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    conditions = {"offline": False, "latency": 150, "downloadThroughput": 2e5, "uploadThroughput": 1e5}
    session.send("Network.emulateNetworkConditions", conditions)
    visitor.open().page.wait_for_load_state("networkidle")
    assert visitor.page.evaluate("window.shift") < 0.01
