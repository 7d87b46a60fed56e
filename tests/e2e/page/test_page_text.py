"""What can be done with a text or a code: open, save as a file, enlarge, read aloud, share."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.page.helpers import EN, save_by_api
from tests.support.browser import Visiting
from tests.support.server import Server

FILE = """([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name));
    for (const type of ["dragover", "drop"]) {
        const event = { dataTransfer: data, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new DragEvent(type, event));
    }
}"""


def test_an_address_can_be_opened(visit: Visiting, live_server: Server) -> None:
    reader = visit().open()
    for text, address in (("https://example.org/a?b=c", "https://example.org/a?b=c"), ("no address", None)):
        reader.load(save_by_api(live_server, text))
        expect(reader.part("loaded-text")).to_have_value(text)
        expect(reader.part("open-link")).to_be_visible(visible=address is not None)
        assert reader.part("open-link").get_attribute("href") == address


def test_a_text_is_saved_as_a_file_shown_in_columns_and_unwrapped(
    visit: Visiting, live_server: Server
) -> None:
    reader = visit().open()
    reader.load(save_by_api(live_server, "one\r\ntwo"))
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
