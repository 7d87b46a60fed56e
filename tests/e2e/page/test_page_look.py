"""Without JavaScript, at every size, in both colour schemes: everything can be seen and read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.page.helpers import MESSAGES
from tests.support.browser import LOCALES, Visit, Visiting

# The contrast of every visible text and field border with the colour behind it.
CONTRASTS = """() => {
    const parse = (color) => {
        const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
        return [r, g, b, a];
    };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const color = parse(getComputedStyle(each).backgroundColor);
            if (color[3] === 1) return color;
        }
        throw new Error("no ground");
    };
    const ratio = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const found = [];
    for (const each of document.querySelectorAll("body *")) {
        if (!each.checkVisibility()) continue;
        const style = getComputedStyle(each);
        const is = `${each.tagName} ${each.dataset.part ?? each.className} ${each.dataset.i18n ?? ""}`;
        const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const field = each.matches("textarea, input:not([type=radio], [type=checkbox])");
        if (own || field) found.push([is, ratio(parse(style.color), behind(each)), 4.5]);
        const hint = each.placeholder && getComputedStyle(each, "::placeholder").color;
        if (hint) found.push([`${is} hint`, ratio(parse(hint), behind(each)), 4.5]);
        if (field) found.push([`${is} edge`, ratio(parse(style.borderColor), behind(each.parentElement)), 3]);
    }
    return found;
}"""
RIGHT = """() => Math.max(
    ...[...document.querySelectorAll("body *:not(.unseen)")].map((each) => each.getBoundingClientRect().right)
)"""
NAME = """(each) => each.ariaLabel || each.labels?.[0]?.textContent || each.textContent
    || each.ariaLabelledByElements?.[0]?.textContent"""


def test_without_javascript_the_page_shows_commands_that_work(visit: Visiting, tmp_path: Path) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.page.goto(visitor.url)
    expect(visitor.page.locator("main")).to_be_hidden()
    expect(visitor.page.locator("noscript p").first).to_have_text(MESSAGES["en"]["noscript"])
    save, load = visitor.page.locator("pre").all_inner_texts()
    (tmp_path / "text.txt").write_text("by curl\n")
    code = _shell(save, tmp_path)
    assert re.fullmatch("[a-zA-Z]{4}\n", code)
    assert _shell(load.replace("wUrp", code.strip()), tmp_path) == "by curl\n"


def test_without_javascript_nothing_is_shown_that_would_not_work(visit: Visiting) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.page.goto(visitor.url)
    assert (
        visitor.page.locator("button:visible, input:visible, textarea:visible, select:visible").count() == 0
    )
    expect(visitor.page.locator("h1")).to_be_visible()
    visitor.page.get_by_role("link", name="한국어").click()
    expect(visitor.page.locator("noscript p").first).to_have_text(MESSAGES["ko"]["noscript"])


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (640, 2), (1280, 1)])
def test_nothing_is_wider_than_the_window(visit: Visiting, language: str, width: int, zoom: int) -> None:
    visitor = visit(language, viewport={"width": width, "height": 640})
    for state in _states(visitor):
        visitor.page.evaluate(f"document.documentElement.style.fontSize = '{zoom * 100}%'")
        inside, whole = visitor.page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
        )
        assert whole <= inside == width, state
        assert visitor.page.evaluate(RIGHT) <= width, state


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(visit: Visiting, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    for state in _states(visitor):
        found = visitor.page.evaluate(CONTRASTS)
        assert len(found) > 15
        assert [each for each in found if each[1] < each[2]] == [], state
    ground = visitor.page.locator("html").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) > 380) == (scheme == "light")


def test_where_colours_are_the_users_own_everything_has_an_edge(visit: Visiting) -> None:
    visitor = visit(forced_colors="active")
    for state in _states(visitor):
        edges = visitor.page.evaluate("""() =>
            [...document.querySelectorAll("button:not(.link), .button, textarea, input, select")]
                .filter((each) => each.checkVisibility())
                .filter((each) => !each.matches("[type=radio], [type=checkbox], .unseen"))
                .map((each) => [each.dataset.part, getComputedStyle(each)])
                .map(([part, { borderTopWidth, borderTopColor, backgroundColor }]) =>
                    [part, borderTopWidth !== "0px" && borderTopColor !== backgroundColor])""")
        assert len(edges) > 3, state
        assert [part for part, has_edge in edges if not has_edge] == [], state


def test_nothing_moves_for_those_who_asked_for_that(visit: Visiting) -> None:
    for motion, animation in [("no-preference", "busy"), ("reduce", "none")]:
        visitor = visit(reduced_motion=motion)
        visitor.open().page.route("**/api/v1/load", lambda route: None)
        visitor.load("wUrp")
        expect(visitor.part("load")).to_have_css("animation-name", animation)


def test_every_field_and_button_has_a_name(visit: Visiting) -> None:
    visitor = visit()
    for state in _states(visitor):
        for element in visitor.page.locator(
            "input:visible, textarea:visible, button:visible, a:visible"
        ).all():
            assert _name(element), (state, element)


def _states(visitor: Visit) -> Iterator[str]:
    """Open the page and put it into each of its states, one after the other."""
    lives = {"min": 60, "default": 600, "max": 86_400, "max_sealed": 2_592_000}
    who = {"contact": "abuse@example.org", "terms_url": "https://example.org/terms"}
    visitor.limits({"max_text_bytes": 1_000, "expires_in": lives, **who})
    visitor.open()
    yield "empty"
    visitor.options()
    yield "options"
    visitor.part("save").click()
    visitor.load("w0rp")
    expect(visitor.part("load-alert")).not_to_be_empty()
    yield "refused"
    visitor.load("wUrp")
    visitor.part("has-password").click()
    expect(visitor.part("password-row")).to_be_visible()
    visitor.part("text").fill("W" * 1_001)
    expect(visitor.part("counter")).to_have_class(re.compile("over"))
    yield "not found, too large"
    code = visitor.save("W" * 500)
    visitor.part("copy-code").click()
    yield "saved"
    visitor.load(code)
    expect(visitor.part("loaded")).to_be_visible()
    yield "loaded"
    expect(visitor.part("receipt")).to_have_class(re.compile("opened"))
    yield "receipt"
    visitor.part("show-qr").click()
    expect(visitor.part("qr")).to_be_visible()
    yield "QR code"
    visitor.part("big-screen").click()
    yield "big screen"
    visitor.part("big-screen-close").click()
    visitor.part("delete").click()
    expect(visitor.part("saved-details")).to_be_hidden()
    yield "deleted"
    visitor.part("again").click()
    code = visitor.save("W", once=True)
    with visitor.page.expect_response("**/api/v1/ack"):
        visitor.load(code)
    expect(visitor.part("one-time")).to_be_visible()
    expect(visitor.part("saved-details")).to_be_hidden()
    yield "read"


def _shell(command: str, folder: Path) -> str:
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _name(element: Locator) -> str:
    return str(element.evaluate(NAME))
