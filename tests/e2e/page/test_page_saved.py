"""What the page shows and does after a text was saved: code, QR code, deleting, a longer life, the end."""

from __future__ import annotations

import json
import re
import subprocess

from playwright.sync_api import expect

from tests.e2e.page.helpers import EN
from tests.support.browser import Visiting
from tests.support.node import NODE
from tests.support.process import wait_until
from tests.support.server import ROOT, Server

# The pixels of the QR code, and the program that decodes them.
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


def test_delete_can_be_undone_and_ends_the_text(visit: Visiting) -> None:
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


def test_leaving_the_page_completes_a_deletion(visit: Visiting, live_server: Server) -> None:
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


def _run_node(script: str, given: str) -> str:
    command = [str(NODE), "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=given, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
