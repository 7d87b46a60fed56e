"""The page in a browser and the program `saver`: sealed, for one reader, and live, in both directions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.page.test_page_live import TEXT, hand_over, shown_code, type_code, wrong
from tests.support.browser import Visiting
from tests.support.saver_program import Program
from tests.support.server import Server

PASSWORD = "p\u00e4ssword 금고"


@pytest.fixture
def program(live_server: Server, tmp_path: Path) -> Program:
    (tmp_path / "text").write_bytes(TEXT.encode())
    return Program(tmp_path, live_server.url)


def test_sealed_in_both_directions(visit: Visiting, program: Program) -> None:
    visitor = visit().open()
    code = visitor.save("by the page", password=PASSWORD)
    assert program.run("get", code, password=PASSWORD).stdout == b"by the page"
    visitor.unlock(program.run("send", stdin=b"by the program", password=PASSWORD).line, PASSWORD)
    expect(visitor.part("loaded-text")).to_have_value("by the program")


def test_a_phrase_of_the_program_opens_on_the_page(visit: Visiting, program: Program) -> None:
    sent = program.run("send", "--phrase", stdin=b"by the program")
    phrase = sent.stderr.splitlines()[0].removeprefix("Password: ")
    visitor = visit().open()
    visitor.unlock(sent.line, phrase.replace(" ", "-"))
    expect(visitor.part("loaded-text")).to_have_value("by the program")


def test_a_text_for_one_reader_by_the_page(visit: Visiting, program: Program) -> None:
    visitor = visit().open()
    code = visitor.save("by the page", once=True)
    assert program.run("get", code).stdout == b"by the page"
    expect(visitor.part("receipt")).to_have_text(re.compile("Read and gone"))
    assert program.run("get", code).code == 3


def test_a_text_for_one_reader_by_the_program(visit: Visiting, program: Program) -> None:
    visitor = visit().open()
    code = program.run("send", "--once", stdin=b"by the program").line
    with visitor.page.expect_response("**/api/v1/ack"):
        visitor.load(code)
    expect(visitor.part("loaded-text")).to_have_value("by the program")
    assert program.run("status", code).line == "read"
    assert program.run("get", code).code == 3
    # The only copy: without this the browser asks when the page closes.
    visitor.part("copy-text").click()


def test_live_from_the_page_that_shows_the_code(visit: Visiting, program: Program) -> None:
    code = hand_over(visit().open())
    assert program.run("get", stdin=wrong(code).encode()).code == 8
    assert program.run("get", stdin=code.encode()).stdout == TEXT.encode().replace(b"\r\n", b"\n")


def test_live_to_the_page_that_shows_the_code(visit: Visiting, program: Program) -> None:
    receiver = visit().open()
    receiver.part("receive-here").click()
    sent = program.run("send", "--join", "text", stdin=shown_code(receiver).encode())
    assert sent.code == 0, sent.stderr
    expect(receiver.part("loaded-text")).to_have_value(TEXT.replace("\r\n", "\n"))
    receiver.part("copy-text").click()


def test_live_to_the_page_from_the_program_that_shows_the_code(visit: Visiting, program: Program) -> None:
    receiver = visit().open()
    with program.started("send", "--live", "text") as maker:
        assert maker.stderr is not None
        type_code(receiver, maker.stderr.readline().decode())
        expect(receiver.part("loaded-text")).to_have_value(TEXT.replace("\r\n", "\n"))
        assert maker.wait() == 0
    receiver.part("copy-text").click()


def test_live_from_the_page_to_the_program_that_shows_the_code(visit: Visiting, program: Program) -> None:
    sender = visit().open()
    with program.started("receive") as maker:
        assert maker.stderr is not None
        assert maker.stdout is not None
        sender.part("text").fill("by the page")
        type_code(sender, maker.stderr.readline().decode())
        sender.part("hand-over").click()
        assert maker.stdout.read() == b"by the page"
        assert maker.wait() == 0
