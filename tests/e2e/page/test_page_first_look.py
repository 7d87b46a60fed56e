"""What is in sight without scrolling, and how few keys and clicks each way takes."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support import browser as browsers
from tests.support.browser import LOCALES, Visit, Visiting
from tests.support.server import ROOT, Server

browser, visit = browsers.browser, browsers.visit

EN = json.loads((ROOT / "extension" / "ui" / "en.json").read_text("utf-8"))
# Desks, phones, a desk at 200 % (half as many CSS pixels), a phone lying on its side.
SIZES = [(1280, 720), (1366, 768), (390, 844), (360, 640), (640, 360), (844, 390), (667, 375)]
MAX_WORDS = 60
# Where the lower edge of the viewport cuts each.
HIDDEN = """(names) => names.filter((name) => {
    const { top, bottom, width } = document.querySelector(`[data-part="${name}"]`).getBoundingClientRect();
    return width === 0 || top < 0 || bottom > innerHeight;
})"""
FILE = """([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name));
    for (const type of ["dragover", "drop"]) {
        const event = { dataTransfer: data, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new DragEvent(type, event));
    }
}"""


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


# The fewest keys: the table of what is least


def test_a_code_typed_anywhere_opens_at_its_fourth_letter(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    reader.page.keyboard.type(_written(live_server, "a text"))
    expect(reader.part("loaded-text")).to_have_value("a text")
    expect(reader.part("loaded-text")).to_be_focused()
    # One key more: what is in the clipboard is not replaced without being asked.
    reader.page.keyboard.press("Enter")
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])
    assert reader.clipboard() == "a text"


def test_a_wrong_letter_can_be_taken_back_before_it_counts(visit: Visiting, live_server: Server) -> None:
    code, reader = _written(live_server, "a text"), visit()
    reader.page.clock.install()
    reader.open()
    reader.page.keyboard.type(code[:3] + ("a" if code[3] != "a" else "b"))
    reader.page.clock.run_for(400)
    reader.page.keyboard.press("Backspace")
    reader.page.clock.run_for(2_000)
    assert not [url for url in reader.asked if url.endswith("/load")]
    reader.page.keyboard.type(code[3])
    reader.page.clock.run_for(1_000)
    expect(reader.part("loaded-text")).to_have_value("a text")


def test_a_text_typed_anywhere_is_a_text(visit: Visiting) -> None:
    sender = visit()
    sender.page.clock.install()
    sender.open().page.keyboard.type("hello over there")
    expect(sender.part("text")).to_have_value("hello over there")
    expect(sender.part("text")).to_be_focused()
    sender.page.clock.run_for(2_000)
    assert not [url for url in sender.asked if url.endswith("/load")]


@pytest.mark.parametrize("given", ["{}", " “{}”. ", "SERVICE/#{}"])
def test_a_code_pasted_anywhere_opens(visit: Visiting, live_server: Server, given: str) -> None:
    reader = visit().open()
    _paste(reader, given.replace("SERVICE", reader.url).format(_written(live_server, "a text")))
    expect(reader.part("loaded-text")).to_have_value("a text")


def test_another_address_pasted_anywhere_is_a_text(visit: Visiting) -> None:
    sender = visit().open()
    _paste(sender, "https://example.org/wiki#Uses")
    expect(sender.part("text")).to_have_value("https://example.org/wiki#Uses")
    assert not [url for url in sender.asked if url.endswith("/load")]


def test_a_pasted_one_time_link_waits_for_a_press(visit: Visiting) -> None:
    reader = visit().open()
    _paste(reader, f"{reader.url}/#wUrp.once")
    expect(reader.part("load-notice")).to_have_text(EN["once_link"])
    assert not [url for url in reader.asked if url.endswith("/load")]


def test_a_russian_keyboard_types_a_code_anywhere(visit: Visiting) -> None:
    reader = visit().open()
    with reader.page.expect_request("**/api/v1/load") as asked:
        reader.page.evaluate(
            """(keys) => keys.forEach(([key, code, shiftKey]) => {
                const event = { key, code, shiftKey, bubbles: true, cancelable: true };
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", event));
            })""",
            [["ц", "KeyW", False], ["Г", "KeyU", True], ["к", "KeyR", False], ["з", "KeyP", False]],
        )
    assert json.loads(asked.value.post_data or "")["code"] == "wUrp"


def test_the_only_copy_is_asked_for_again_when_another_code_is_typed(visit: Visiting) -> None:
    sender, reader = visit().open(), visit().open()
    reader.load(sender.save("only once", once=True))
    expect(reader.part("loaded-text")).to_have_value("only once")
    for code in ("zzaa", "zzab"):
        reader.part("code-field").fill(code)
        reader.part("load").click()
        expect(reader.part("load-alert")).to_have_text(EN["not_copied"])
    expect(reader.part("loaded-text")).to_have_value("only once")
    reader.part("copy-text").click()
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])


def test_the_last_shown_is_copied(visit: Visiting, live_server: Server) -> None:
    person = visit().open()
    person.load(_written(live_server, "opened before"))
    expect(person.part("loaded-text")).to_have_value("opened before")
    code = person.save("another text")
    person.page.keyboard.press("Control+C")
    expect(person.part("saved-status")).to_have_text(EN["code_copied"])
    assert person.clipboard() == code


def test_a_text_pasted_anywhere_takes_two_chords_to_its_code_in_the_clipboard(visit: Visiting) -> None:
    sender = visit().open()
    _paste(sender, "see you there at noon")
    expect(sender.part("text")).to_have_value("see you there at noon")
    sender.page.keyboard.press("Control+Enter")
    expect(sender.part("copy-code")).to_be_focused()
    sender.page.keyboard.press("Control+C")
    expect(sender.part("saved-status")).to_have_text(EN["code_copied"])
    assert sender.clipboard() == sender.part("code").inner_text()


def test_one_click_makes_a_code_of_what_is_in_the_clipboard(visit: Visiting, live_server: Server) -> None:
    sender = visit().open()
    sender.page.evaluate("navigator.clipboard.writeText('from the clipboard')")
    sender.part("paste").click()
    expect(sender.part("copy-code")).to_be_focused()
    _, found = live_server.post("/api/v1/load", {"code": sender.part("code").inner_text()})
    assert found["text"] == "from the clipboard"


def test_a_clipboard_that_may_not_be_read_is_said(visit: Visiting) -> None:
    sender = visit()
    sender.page.add_init_script("Clipboard.prototype.readText = async () => { throw new DOMException('no') }")
    sender.open().part("paste").click()
    expect(sender.part("save-alert")).to_have_text(EN["paste_failed"].format(keys="Ctrl+V"))
    expect(sender.part("text")).to_be_focused()


def test_copying_takes_what_is_marked_and_else_all(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    reader.page.keyboard.type(_written(live_server, "the whole text"))
    expect(reader.part("loaded-text")).to_be_focused()
    reader.page.keyboard.press("Control+C")
    expect(reader.part("loaded-status")).to_have_text(EN["text_copied"])
    assert reader.clipboard() == "the whole text"
    reader.part("loaded-text").evaluate("(field) => field.setSelectionRange(4, 9)")
    reader.page.keyboard.press("Control+C")
    assert reader.clipboard() == "whole"


# No traps


def test_a_wrong_code_stays_a_wrong_code(visit: Visiting) -> None:
    reader = visit().open()
    reader.page.keyboard.type("xTbh")
    expect(reader.part("load-alert")).to_have_text(EN["no_text"])
    expect(reader.part("code-field")).to_be_focused()
    expect(reader.part("code-hint")).to_have_text("You typed: small x, capital T, small b, small h")
    expect(reader.part("load-password")).to_be_hidden()
    # Selected, so that the next code replaces it.
    reader.page.keyboard.type("xtbh")
    expect(reader.part("code-field")).to_have_value("xtbh")


def test_a_draft_and_a_code_survive_a_reload_and_a_password_does_not(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.part("text").fill("my draft")
    sender.part("password").fill("secret")
    sender.page.reload()
    expect(sender.part("text")).to_have_value("my draft")
    expect(sender.part("password")).to_have_value("")
    sender.part("save").click()
    expect(sender.part("save-alert")).to_have_text(EN["password_again"])
    sender.part("save-open").click()
    expect(sender.part("copy-code")).to_be_focused()
    code = sender.part("code").inner_text()
    sender.page.reload()
    expect(sender.part("code")).to_have_text(code)
    expect(sender.part("saved-before")).to_contain_text("Saved at")
    sender.part("edit").click()
    expect(sender.part("text")).to_have_value("my draft")
    expect(sender.part("save-notice")).to_have_text(EN["edit_hint"].format(code=code))
    assert "secret" not in sender.page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_an_encrypted_text_is_not_kept_in_the_clear(visit: Visiting) -> None:
    sender = visit().open()
    code = sender.save("a private text", password="secret")
    sender.page.reload()
    expect(sender.part("code")).to_have_text(code)
    expect(sender.part("edit")).to_be_hidden()
    assert "private" not in sender.page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_on_somebody_elses_computer_nothing_is_kept(visit: Visiting) -> None:
    sender = visit().open()
    sender.part("text").fill("before")
    sender.part("not-my-computer").check()
    expect(sender.part("page-status")).to_have_text(EN["not_my_computer_on"])
    sender.save("after")
    assert sender.page.evaluate("Object.keys(sessionStorage)") == ["not-my-computer"]
    sender.page.reload()
    expect(sender.part("not-my-computer")).to_be_checked()
    expect(sender.part("text")).to_have_value("")
    expect(sender.part("code")).to_be_hidden()
    sender.part("not-my-computer").uncheck()


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


# The other end


def test_an_address_can_be_opened(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    for text, address in (("https://example.org/a?b=c", "https://example.org/a?b=c"), ("no address", None)):
        reader.load(_written(live_server, text))
        expect(reader.part("loaded-text")).to_have_value(text)
        expect(reader.part("open-link")).to_be_visible(visible=address is not None)
        assert reader.part("open-link").get_attribute("href") == address


def test_a_text_is_saved_as_a_file_shown_in_columns_and_unwrapped(
    visit: Visiting, live_server: Server
) -> None:
    reader = visit().open()
    reader.load(_written(live_server, "one\r\ntwo"))
    with reader.page.expect_download() as download:
        reader.part("save-file").click()
    assert download.value.suggested_filename == "saver.txt"
    assert download.value.path().read_bytes() == b"one\r\ntwo"
    expect(reader.part("loaded-status")).to_have_text(EN["file_saved"])
    reader.part("monospace").click()
    expect(reader.part("monospace")).to_have_attribute("aria-pressed", "true")
    assert "mono" in reader.part("loaded-text").evaluate("e => getComputedStyle(e).fontFamily")
    reader.part("wrap").click()
    expect(reader.part("loaded-text")).to_have_css("white-space", "pre")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("한국어\r\n".encode(), "한국어\r\n"),
        ("\ufeffwith a BOM".encode(), "with a BOM"),
        ("wide".encode("utf-16"), "wide"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", None),
        (b"\xff\xfe\xff", None),
    ],
)
def test_a_text_file_is_dropped_and_any_other_is_refused(
    visit: Visiting, live_server: Server, content: bytes, text: str | None
) -> None:
    sender = visit().open()
    sender.page.evaluate(FILE, ["a.txt", list(content)])
    if text is None:
        expect(sender.part("save-alert")).to_have_text(EN["not_a_text_file"])
        expect(sender.part("text")).to_have_value("")
        return
    expect(sender.part("text")).to_have_value(text.replace("\r\n", "\n"))
    sender.part("save").click()
    expect(sender.part("copy-code")).to_be_focused()
    _, found = live_server.post("/api/v1/load", {"code": sender.part("code").inner_text()})
    assert found["text"] == text


def test_a_file_is_chosen_and_does_not_replace_what_is_typed(visit: Visiting) -> None:
    sender = visit().open().options()
    chosen = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"from a file"}
    sender.part("file").set_input_files(chosen)  # type: ignore[arg-type]
    expect(sender.part("text")).to_have_value("from a file")
    sender.part("file").set_input_files({**chosen, "buffer": b"another"})  # type: ignore[arg-type]
    expect(sender.part("save-alert")).to_have_text(EN["file_over_text"])
    expect(sender.part("text")).to_have_value("from a file")


def test_the_code_fills_a_big_screen(visit: Visiting) -> None:
    sender = visit(viewport={"width": 1920, "height": 1080}).open()
    code = sender.save("for the room")
    sender.part("big-screen").click()
    expect(sender.part("big-code")).to_have_text(code)
    expect(sender.part("big-where")).to_contain_text(sender.url.removeprefix("http://"))
    assert float(sender.part("big-code").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) > 400
    sender.page.keyboard.press("Escape")
    expect(sender.part("big-code")).to_be_hidden()


def test_the_code_is_read_aloud(visit: Visiting) -> None:
    sender = visit()
    sender.page.add_init_script(
        "SpeechSynthesis.prototype.speak = (said) => { window.spoken = [said.text, said.lang] }"
    )
    sender.answer("write", 201, {"code": "wUrp", "owner_token": "t", "expires_at": "2999-01-01T00:00:00Z"})
    sender.open().save("hello")
    sender.part("read-aloud").click()
    assert sender.page.evaluate("window.spoken") == ["small w, capital U, small r, small p", "en"]


def test_a_phone_shares_the_link(visit: Visiting) -> None:
    sender = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sender.page.add_init_script("Navigator.prototype.share = async (data) => { window.shared = data }")
    code = sender.open().save("hello")
    sender.part("share").click()
    assert sender.page.evaluate("window.shared") == {"url": f"{sender.url}/#{code}"}


def _written(server: Server, text: str) -> str:
    _, written = server.post("/api/v1/write", {"text": text})
    return str(written["code"])


def _paste(visitor: Visit, text: str) -> None:
    visitor.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    visitor.page.keyboard.press("Control+V")
