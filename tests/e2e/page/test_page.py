"""Saving and loading on the page at ``/``, in a real browser against a real service."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from playwright.sync_api import Route, expect

from tests.support import browser as browsers
from tests.support.browser import Visit, Visiting
from tests.support.node import NODE
from tests.support.process import wait_until
from tests.support.server import ROOT, Server

browser, visit = browsers.browser, browsers.visit

EN = json.loads((ROOT / "extension" / "ui" / "en.json").read_text("utf-8"))
CODE = re.compile("^[a-zA-Z]{4}$")
CHOICES = ["10 min", "1 hr", "3 hr", "24 hr", "7 days", "30 days"]
MAX_BYTES = 1_048_576
WORDS = ROOT / "extension" / "vendor" / "eff-short-wordlist-1.txt"
# The picture as a camera sees it, and what a reader makes of it.
SEE_QR = """() => {
    const svg = document.querySelector('[data-part="qr"] svg');
    const size = Number(svg.getAttribute("viewBox").split(" ")[2]);
    const scale = 8;
    const canvas = new OffscreenCanvas(size * scale, size * scale);
    const context = canvas.getContext("2d");
    for (const path of svg.querySelectorAll("path")) {
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.fillStyle = path.getAttribute("fill");
        context.fill(new Path2D(path.getAttribute("d")));
    }
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { data: [...data], width, height };
}"""
READ_QR = """
import decodeQR from "qr/decode.js";
import { text } from "node:stream/consumers";
const { data, width, height } = JSON.parse(await text(process.stdin));
process.stdout.write(decodeQR({ data: Uint8ClampedArray.from(data), width, height }));
"""
# Keys as another layout gives them; an input method shows what it composed of them in the end.
PRESS = """(field, [keys, composed]) => {
    for (const [key, code, shift] of keys) {
        const event = new KeyboardEvent("keydown", {
            key, code, shiftKey: Boolean(shift), isComposing: key === "Process",
            bubbles: true, cancelable: true,
        });
        field.dispatchEvent(event);
    }
    if (composed) field.value = composed;
}"""
NO_TEXT = {"type": "urn:saver:problem:no-text"}


# The way of a text


def test_a_text_is_saved_and_loaded_on_another_computer(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("Hello over there")
    assert CODE.match(code)
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("Hello over there")
    expect(receiver.part("loaded-text")).to_be_focused()
    expect(receiver.part("loaded-heading")).to_have_text(code)
    expect(receiver.part("loaded-size")).to_have_text("16 characters")
    expect(receiver.part("loaded-left")).to_have_text(re.compile(r"^Gone in (10|9) minutes$"))
    receiver.part("clear").click()
    expect(receiver.part("loaded")).to_be_hidden()
    expect(receiver.part("loaded-text")).to_have_value("")
    expect(receiver.part("code-field")).to_be_focused()


def test_the_code_is_spelled_and_copied(visit: Visiting) -> None:
    sender = visit()
    sender.answer("write", 201, {"code": "wUrp", "owner_token": "t", "expires_at": "2999-01-01T00:00:00Z"})
    sender.open().save("hello")
    expect(sender.part("spelled")).to_have_text("small w, capital U, small r, small p")
    expect(sender.part("saved-news")).to_have_text("Saved. The code is small w, capital U, small r, small p.")
    sender.part("copy-code").click()
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    assert sender.clipboard() == "wUrp"
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    assert sender.clipboard() == f"{sender.url}/#wUrp"
    assert sender.page.evaluate("document.fonts.check('600 16px \\'Atkinson Hyperlegible Mono\\'')")
    assert "Hyperlegible" in sender.part("code").evaluate("e => getComputedStyle(e).fontFamily")


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
    # As a phone's keyboard gives it.
    receiver.unlock(sender.part("code").inner_text(), phrase.capitalize().replace(" ", "  ") + " ")
    expect(receiver.part("loaded-text")).to_have_value("for a friend")
    sender.part("again").click()
    expect(sender.part("phrase-strength")).to_be_empty()
    expect(sender.part("phrase-used")).to_be_empty()
    sender.save("without one")
    expect(sender.part("saved-phrase")).to_be_hidden()


def test_the_strength_of_another_password_is_not_told(visit: Visiting) -> None:
    sender = visit().open()
    sender.options().part("phrase").click()
    expect(sender.part("phrase-strength")).not_to_be_empty()
    sender.part("password").press_sequentially("x")
    expect(sender.part("phrase-strength")).to_be_empty()


def test_the_qr_code_is_the_link(visit: Visiting) -> None:
    sender = visit()
    sender.open().save("hello")
    code = sender.part("code").inner_text()
    expect(sender.part("qr")).to_be_hidden()
    sender.part("show-qr").click()
    expect(sender.part("qr").locator("svg")).to_be_visible()
    assert _run_node(READ_QR, json.dumps(sender.page.evaluate(SEE_QR))) == f"{sender.url}/#{code}"
    sender.part("show-qr").click()
    expect(sender.part("qr")).to_be_hidden()


# Letters as the keys, whatever the layout: what is typed, the name of the key, whether with Shift.
LAYOUTS = {
    "russian": [("ц", "KeyW", 0), ("Г", "KeyU", 1), ("к", "KeyR", 0), ("з", "KeyP", 0)],
    "greek": [("ς", "KeyW", 0), ("Θ", "KeyU", 1), ("\u03c1", "KeyR", 0), ("π", "KeyP", 0)],
    "korean, composed": [
        ("Process", "KeyW", 0),
        ("Process", "KeyU", 1),
        ("Process", "KeyR", 0),
        ("Process", "KeyP", 0),
    ],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_code_is_read_by_its_keys(visit: Visiting, layout: str) -> None:
    receiver = visit().open()
    composed = "져게" if "composed" in layout else ""
    receiver.part("code-field").evaluate(PRESS, [LAYOUTS[layout], composed])
    with receiver.page.expect_request("**/api/v1/load") as asked:
        receiver.part("load").click()
    assert json.loads(asked.value.post_data or "")["code"] == "wUrp"
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    expect(receiver.part("code-hint")).to_have_text("You typed: small w, capital U, small r, small p")


def test_a_password_is_asked_for_only_when_it_is_needed(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("locked", password="open sesame")
    expect(sender.part("password")).to_have_value("")
    expect(receiver.part("load-password")).to_be_hidden()
    receiver.load(code)
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    # A wrong code is likelier: the password is there for whoever wants it.
    expect(receiver.part("code-field")).to_be_focused()
    expect(receiver.part("load-password")).to_be_hidden()
    receiver.part("has-password").click()
    expect(receiver.part("load-password")).to_be_focused()
    receiver.page.keyboard.type("wrong")
    with receiver.page.expect_response("**/api/v1/load") as refused:
        receiver.page.keyboard.press("Enter")
    assert refused.value.status == 404
    expect(receiver.part("load-alert")).to_have_text(EN["no_text_password"])
    expect(receiver.part("load-password")).to_have_value("wrong")
    receiver.part("load-password").fill("open sesame")
    receiver.part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("locked")
    expect(receiver.part("load-password")).to_be_hidden()
    expect(receiver.part("load-password")).to_have_value("")
    expect(receiver.part("load-alert")).to_be_empty()


def test_a_password_can_be_shown_and_hides_itself_again(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.part("show-password").click()
    expect(sender.part("password")).to_have_attribute("type", "text")
    expect(sender.part("show-password")).to_have_accessible_name(EN["hide_password"])
    sender.save("hello", password="secret")
    sender.part("again").click()
    expect(sender.part("password")).to_have_attribute("type", "password")
    expect(sender.part("show-password")).to_have_text(EN["show"])


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


def test_below_a_path_everything_is_there_and_links_lead_there(visit: Visiting) -> None:
    sender, receiver = visit(), visit()
    for person in (sender, receiver):
        person.url += "/memo"
        # As a proxy does that takes the path away.
        person.page.route(
            f"{person.url}/**", lambda route: route.continue_(url=route.request.url.replace("/memo/", "/"))
        )
    sender.open()
    code = sender.save("below a path")
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["link_copied"])
    assert sender.clipboard() == f"{sender.url}/#{code}"
    receiver.open(f"/#{code}").part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("below a path")


def test_a_link_of_a_one_time_text_does_not_end_it(visit: Visiting) -> None:
    sender, scanner, receiver = visit().open(), visit(), visit().open()
    code = sender.save("only once", once=True)
    scanner.open(f"/#{code}")
    expect(scanner.part("load")).to_be_focused()
    scanner.page.wait_for_load_state("networkidle")
    assert not [url for url in scanner.asked if url.endswith("/load")]
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("only once")


def test_another_page_makes_nobody_guess(visit: Visiting) -> None:
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
    # Its opener has no hold of it (Cross-Origin-Opener-Policy); and nothing is loaded without a press.
    expect(opened.value.locator('[data-part="code-field"]')).to_have_value("aaaa")
    assert not [url for url in asked if url.endswith("/load")]


@pytest.mark.parametrize("lost", ["ui/receipt.js", "core/seal.js", "ui/en.json", "web/page.js"])
def test_a_page_that_is_not_whole_says_so(visit: Visiting, lost: str) -> None:
    receiver = visit()
    receiver.page.route(f"**/{lost}", lambda route: route.abort())
    receiver.page.goto(receiver.url)
    expect(receiver.part("incomplete")).to_be_visible(timeout=30_000)
    expect(receiver.part("incomplete")).to_have_text(EN["incomplete"])
    # The messages came for nothing, and Chromium says so.
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


def test_a_one_time_text_is_not_replaced_without_a_question(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    code = sender.save("only once", once=True)
    sender.part("again").click()
    other = sender.save("another")
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.part("clear").click()
    expect(receiver.part("clear")).to_have_text(EN["clear_confirm"])
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.load(other)
    expect(receiver.part("load-alert")).to_have_text(EN["not_copied"])
    expect(receiver.part("loaded-text")).to_have_value("only once")
    receiver.part("load").click()
    expect(receiver.part("loaded-text")).to_have_value("another")


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


@pytest.mark.parametrize(
    "given", [" w U r p ", "\uff57\uff35\uff52\uff50", "small w BIG U small r small p", "https://x/#wUrp"]
)
def test_a_code_is_read_as_people_write_it(visit: Visiting, given: str) -> None:
    receiver = visit().open()
    with receiver.page.expect_request("**/api/v1/load") as asked:
        receiver.load(given)
    body = json.loads(asked.value.post_data or "")
    assert (sorted(body), body["code"]) == (["claim", "code"], "wUrp")
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])


def test_markup_is_text_and_nothing_else(visit: Visiting) -> None:
    text = "<img src=x onerror='window.hit=1'><script>window.hit=1</script></textarea><b>&amp;\"'"
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(text))
    expect(receiver.part("loaded-text")).to_have_value(text)
    assert receiver.page.evaluate("window.hit") is None
    assert receiver.page.locator("img, b, body script").count() == 0


@pytest.mark.parametrize(
    "text",
    [
        "\u05d0\u05d1\n\u0645\u0631",
        "\U0001f469\u200d\U0001f467 \U0001f1f0\U0001f1f7 e\u0301",
        "\ufefftabs\t\u2028 and 가나다",
        " \n ",
    ],
)
def test_any_text_comes_back_as_it_was(visit: Visiting, text: str) -> None:
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(text))
    expect(receiver.part("loaded")).to_be_visible()
    assert receiver.part("loaded-text").input_value() == text
    receiver.part("copy-text").click()
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.clipboard() == text


def test_right_to_left_text_runs_so(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    for text, direction in [("\u0645\u0631\n1", "rtl"), ("hello", "ltr"), ("\u05d0" * 30_000, "rtl")]:
        _put(sender, text)
        expect(sender.part("text")).to_have_css("direction", direction)
        receiver.load(sender.save(text))
        expect(receiver.part("loaded-text")).to_have_value(text)
        expect(receiver.part("loaded-text")).to_have_css("direction", direction)
        sender.part("again").click()


def test_line_ends_are_copied_as_they_were_sent(visit: Visiting, live_server: Server) -> None:
    _, written = live_server.post("/api/v1/write", {"text": "one\r\ntwo\rthree\n"})
    receiver = visit().open()
    receiver.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    receiver.load(str(written["code"]))
    expect(receiver.part("loaded-text")).to_have_value("one\ntwo\nthree\n")
    receiver.part("copy-text").click()
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.page.evaluate("window.copied") == "one\r\ntwo\rthree\n"


def test_the_largest_text_works_and_one_byte_more_is_not_sent(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    # Half of it in lines, half in one: either can make a browser slow.
    text = "0123456789abcde\n" * (MAX_BYTES // 32) + "0123456789abcdef" * (MAX_BYTES // 32)
    _put(sender, text + "x")
    expect(sender.part("counter")).to_have_text("1 MB of 1 MB")
    expect(sender.part("counter")).to_have_class(re.compile("over"))
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["too_large"].format(most="1 MB"))
    assert not any(url.endswith("/write") for url in sender.asked)
    sender.page.set_default_timeout(60_000)
    _put(sender, text)
    sender.part("save").click()
    expect(sender.part("copy-code")).to_be_focused()
    receiver.load(sender.part("code").inner_text())
    expect(receiver.part("loaded")).to_be_visible()
    # Compared in one word: a diff of two such texts would take minutes.
    assert (receiver.part("loaded-text").input_value() == text) is True


def test_delete_can_be_taken_back_and_ends_the_text(visit: Visiting) -> None:
    sender, receiver = visit(), visit().open()
    sender.page.clock.install()
    code = sender.open().save("hello")
    sender.part("delete").click()
    expect(sender.part("saved-status")).to_have_text(EN["deleting"])
    sender.part("delete").click()
    expect(sender.part("saved-status")).to_have_text(EN["undone"])
    sender.page.clock.run_for(6_000)
    assert not [url for url in sender.asked if url.endswith("/delete")]
    sender.part("delete").click()
    sender.page.clock.run_for(6_000)
    expect(sender.part("saved-heading")).to_have_text(EN["deleted"])
    expect(sender.part("again")).to_be_focused()
    expect(sender.part("code")).to_be_hidden()
    receiver.load(code)
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])


def test_whoever_deletes_and_leaves_the_page_has_deleted(visit: Visiting, live_server: Server) -> None:
    sender = visit().open()
    code = sender.save("hello")
    sender.part("delete").click()
    sender.page.goto(f"{sender.url}/healthz")
    wait_until(lambda: live_server.post("/api/v1/load", {"code": code})[0] == 404, "the text is deleted")


def test_a_text_is_kept_longer(visit: Visiting) -> None:
    sender = visit().open()
    sender.save("hello")
    for lifetime in (3_600, 10_800, 86_400):
        with sender.page.expect_response("**/api/v1/extend") as extended:
            sender.part("extend").click()
        assert json.loads(extended.value.request.post_data or "")["expires_in"] == lifetime
        expect(sender.part("saved-status")).to_contain_text("Kept until")
        expect(sender.part("extend")).to_be_enabled()
    sender.part("extend").click()
    expect(sender.part("saved-status")).to_have_text(EN["extend_failed"])


def test_the_time_runs_out(visit: Visiting) -> None:
    sender, receiver = visit(), visit()
    for person in (sender, receiver):
        person.page.clock.install()
        person.open()
    code = sender.save("hello")
    expect(sender.part("saved-facts")).to_have_text(re.compile(r"^gone at \d\d:\d\d$"))
    receiver.load(code)
    expect(receiver.part("loaded-left")).to_have_text(re.compile("^Gone in (10|9) minutes$"))
    receiver.page.clock.fast_forward("06:00")
    expect(receiver.part("loaded-left")).to_have_text(re.compile(r"^Gone in [34] minutes$"))
    for person in (sender, receiver):
        person.page.clock.fast_forward("11:00")
    expect(receiver.part("loaded-left")).to_have_text(EN["left_none"])
    expect(sender.part("saved-heading")).to_have_text(EN["expired"])
    expect(sender.part("code")).to_be_hidden()


def test_a_clock_that_is_set_hides_no_living_code(visit: Visiting) -> None:
    sender = visit()
    sender.page.clock.install()
    code = sender.open().save("hello")
    with sender.page.expect_response("**/api/v1/status"):
        sender.page.evaluate("const now = Date.now; Date.now = () => now() + 86_400_000")
        sender.page.clock.run_for(2_000)
    expect(sender.part("saved-facts")).to_contain_text("gone at")
    expect(sender.part("code")).to_have_text(code)


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


# By keyboard alone


def test_the_whole_way_by_keyboard_alone(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    keys = sender.page.keyboard
    # Language, code, Open, text.
    for _ in range(4):
        keys.press("Tab")
    expect(sender.part("text")).to_be_focused()
    keys.type("by keyboard")
    for key in ("Tab", "Tab", "Enter", "Tab", "ArrowRight", "Tab", "Space", "Space", "Tab"):
        keys.press(key)
    expect(sender.page.get_by_label("1 hr")).to_be_checked()
    expect(sender.part("once")).not_to_be_checked()
    expect(sender.part("password")).to_be_focused()
    keys.type("secret")
    keys.press("Enter")
    expect(sender.part("copy-code")).to_be_focused()
    keys.press("Enter")
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    code = sender.clipboard()

    keys = receiver.page.keyboard
    # No field has the focus.
    keys.type(code)
    expect(receiver.part("load-alert")).to_have_text(EN["no_text"])
    for key in ("Tab", "Tab", "Enter"):
        keys.press(key)
    expect(receiver.part("load-password")).to_be_focused()
    keys.type("secret")
    keys.press("Enter")
    expect(receiver.part("loaded-text")).to_be_focused()
    expect(receiver.part("loaded-text")).to_have_value("by keyboard")
    keys.press("Enter")
    expect(receiver.part("loaded-status")).to_have_text(EN["text_copied"])
    assert receiver.clipboard() == "by keyboard"

    sender.page.bring_to_front()
    # Link, new text, QR code: the text of an encrypted one can be edited too.
    for key in ("Tab", "Tab", "Tab", "Tab", "Enter"):
        sender.page.keyboard.press(key)
    expect(sender.part("qr").locator("svg")).to_be_visible()
    expect(sender.part("receipt")).to_contain_text("Opened at")
    sender.part("again").focus()
    sender.page.keyboard.press("Enter")
    expect(sender.part("text")).to_be_focused()


def test_a_text_is_sent_once_however_often_it_is_asked_for(visit: Visiting) -> None:
    sender = visit()
    held: list[Route] = []
    sender.page.route("**/api/v1/write", lambda route: held.append(route))  # noqa: PLW0108 - it is given attributes
    sender.open().part("text").fill("hello")
    sender.part("save").click()
    expect(sender.part("save")).to_be_disabled()
    expect(sender.part("save-form")).to_have_attribute("aria-busy", "true")
    sender.part("text").press("Control+Enter")
    sender.part("text").press("x")
    expect(sender.part("text")).to_have_value("hello")
    assert len(held) == 1
    held[0].continue_()
    expect(sender.part("copy-code")).to_be_focused()
    assert len(held) == 1


# What can go wrong

Failure = tuple[int, object, dict[str, str], str, dict[str, str]]
# What the service answers, and which message with which values says it.
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


def test_what_no_service_needs_to_be_asked_is_said_at_once(visit: Visiting) -> None:
    somebody = visit().open()
    somebody.part("save").click()
    expect(somebody.part("save-alert")).to_have_text(EN["empty_text"])
    expect(somebody.part("text")).to_be_focused()
    expect(somebody.part("text")).to_have_attribute("aria-invalid", "true")
    somebody.load("w0rp")
    expect(somebody.part("load-alert")).to_have_text(EN["code_digits"])
    expect(somebody.part("code-field")).to_have_value("w0rp")
    assert not any(url.endswith(("/write", "/load")) for url in somebody.asked)


def test_copying_works_without_https_and_says_when_it_does_not(visit: Visiting) -> None:
    sender = visit()
    sender.page.add_init_script("delete Navigator.prototype.clipboard")
    code = sender.open().save("hello")
    sender.part("copy-code").click()
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    sender.part("code-field").press("Control+V")
    expect(sender.part("loaded-heading")).to_have_text(code)
    sender.page.evaluate("document.execCommand = () => false")
    sender.part("copy-link").click()
    expect(sender.part("saved-status")).to_have_text(EN["copy_failed"])


def _put(visitor: Visit, text: str) -> None:
    """Fill in a large text at once: typing it, even as fast as a test does, takes minutes."""
    visitor.part("text").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }", text
    )


def _run_node(script: str, given: str) -> str:
    command = [str(NODE), "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=given, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
