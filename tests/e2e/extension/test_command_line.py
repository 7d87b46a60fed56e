"""The extension and the program `saver`: sealed, for one reader, and live, in both directions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.extension.relay import Relay
from tests.e2e.extension.test_live import expect_no_letters_in, live_user, shown_code
from tests.e2e.extension.user import User
from tests.support.process import wait_until
from tests.support.saver_program import Program

__all__ = ["live_user"]

TEXT, PASSWORD = "one text\nwith é and 🎲", "p\u00e4ssword 금고"
# With the options by which the program saves one.
KINDS = {"password": [], "phrase": ["--phrase"], "once": ["--once"]}
in_each_kind = pytest.mark.parametrize("kind", KINDS)
# The page has tests of its own.
in_the_window = pytest.mark.parametrize("surface", ["popup"])


@pytest.fixture
def program(network: Relay, tmp_path: Path) -> Program:
    (tmp_path / "text").write_text(TEXT)
    return Program(tmp_path, network.url)


@in_each_kind
def test_from_the_extension_to_the_program(popup_user: User, program: Program, kind: str) -> None:
    popup_user.write(TEXT, PASSWORD if kind == "password" else "", once=kind == "once")
    if kind == "phrase":
        popup_user.open_options()
        popup_user.part("phrase").click()
        popup_user.part("password").holds(re.compile(r"^(\S+ ){4}\S+$"))
    password = popup_user.part("password").now.value or None
    popup_user.part("save").click()
    code = popup_user.code()
    assert program.run("get", code, password=password).stdout == TEXT.encode()
    expect_an_end(popup_user, program, code, kind)


@in_each_kind
def test_from_the_program_to_the_extension(popup_user: User, program: Program, kind: str) -> None:
    sent = program.run("send", *KINDS[kind], "text", password=PASSWORD if kind == "password" else None)
    phrase = re.findall(r"^Password: (.+)$", sent.stderr, re.MULTILINE)
    if kind == "once":
        popup_user.load(sent.line)
    else:
        popup_user.unlock(sent.line, phrase[0].title() if phrase else PASSWORD)
    popup_user.reads(TEXT)
    expect_an_end(popup_user, program, sent.line, kind)


def expect_an_end(user: User, program: Program, code: str, kind: str) -> None:
    """A text for one reader is gone; what is sealed was never sent in clear."""
    if kind == "once":
        wait_until(lambda: [each.status for each in user.network.asked("ack")] == [204], "it is acknowledged")
        assert program.run("get", code).code == 3
    else:
        assert TEXT.encode() not in b"".join(each.body for each in user.network.passed)


@in_the_window
def test_live_from_the_window_that_shows_the_code(
    live_user: User, program: Program, en: dict[str, str]
) -> None:
    live_user.part("text").fill(TEXT)
    live_user.part("hand-over").click()
    code = shown_code(live_user)
    assert program.run("get", stdin=str(code).encode()).stdout == TEXT.encode()
    live_user.part("live-status").says(en["live_arrived"])
    expect_no_letters_in(live_user.network, str(code.letters))


@in_the_window
def test_live_to_the_window_that_shows_the_code(live_user: User, program: Program) -> None:
    live_user.part("receive-here").click()
    code = shown_code(live_user)
    sent = program.run("send", "--join", "text", stdin=str(code).encode())
    assert (sent.code, sent.stderr) == (0, "Handed over.\n")
    live_user.part("loaded-text").holds(TEXT)
    expect_no_letters_in(live_user.network, str(code.letters))


@in_the_window
def test_live_to_the_window_from_the_program_that_shows_the_code(live_user: User, program: Program) -> None:
    with program.started("send", "--live", "text") as maker:
        letters = type_code(live_user, maker)
        live_user.part("loaded-text").holds(TEXT)
        assert maker.wait() == 0
    expect_no_letters_in(live_user.network, letters)


@in_the_window
def test_live_from_the_window_to_the_program_that_shows_the_code(
    live_user: User, program: Program, en: dict[str, str]
) -> None:
    live_user.part("text").fill(TEXT)
    with program.started("receive") as maker:
        letters = type_code(live_user, maker)
        live_user.part("hand-over").says(en["live_send"])
        live_user.part("hand-over").click()
        assert maker.stdout is not None
        assert maker.stdout.read() == TEXT.encode()
        assert maker.wait() == 0
    live_user.part("live-status").says(en["live_arrived"])
    expect_no_letters_in(live_user.network, letters)


def type_code(user: User, maker: subprocess.Popen[bytes]) -> str:
    """Type the live code that a program shows; its letters."""
    assert maker.stderr is not None
    code = maker.stderr.readline().decode().strip()
    user.part("code-field").fill(code)
    user.part("load").click()
    return code.split()[1]
