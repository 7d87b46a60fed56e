"""Live transfers between two users of the program, and with another client, at a real service."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import SystemRandom

import pytest

from saver.client.http import HttpTransport
from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.codes import LiveCode
from saver.live_transfer.meeting import Tools
from saver.live_transfer.messages import Messages
from tests.support.saver_program import Program
from tests.support.server import Server

TEXT = "금고는 그림 뒤에 있습니다.\r\n".encode()
Child = subprocess.Popen[bytes]


@contextmanager
def made(program: Program, *arguments: str) -> Iterator[tuple[Child, str]]:
    """A maker that waits, and its live code."""
    with program.started(*arguments) as maker:
        assert maker.stdin is not None
        assert maker.stderr is not None
        maker.stdin.write(TEXT)
        maker.stdin.close()
        code = maker.stderr.readline().decode().strip()
        assert LiveCode.parse(code)
        yield maker, code


def end(child: Child) -> tuple[int, bytes, bytes]:
    """Wait for the end; the exit code, stdout and the rest of stderr."""
    assert child.stdout is not None
    assert child.stderr is not None
    output, errors = child.stdout.read(), child.stderr.read()
    return child.wait(), output, errors


def wrong(code: str) -> str:
    """A live code with the same number and other letters."""
    return code[:-4] + ("aaaa" if code[-4:] != "aaaa" else "bbbb")


def test_from_the_one_that_shows_the_code(program: Program, other: Program) -> None:
    with made(program, "send", "--live") as (maker, code):
        got = other.run("get", stdin=code.encode())
        assert (got.code, got.stdout, got.stderr) == (0, TEXT, "")
        status, output, errors = end(maker)
    assert (status, output) == (0, b"")
    assert errors.endswith(b"Handed over.\n")


def test_to_the_one_that_shows_the_code(program: Program, other: Program) -> None:
    (other.home / "text").write_bytes(TEXT)
    with made(program, "receive") as (maker, code):
        sent = other.run("send", "--join", "text", stdin=code.encode())
        assert (sent.code, sent.stdout, sent.stderr) == (0, b"", "Handed over.\n")
        assert end(maker)[:2] == (0, TEXT)


def test_wrong_letters_and_then_the_right_ones(program: Program, other: Program) -> None:
    with made(program, "send", "--live") as (maker, code):
        refused = other.run("get", stdin=wrong(code).encode())
        assert refused.code == 8
        assert "Tries left: " in refused.stderr
        assert code[-4:] not in refused.stderr
        # The letters of an earlier run are not sent again.
        same = other.run("get", stdin=wrong(code).encode())
        assert (same.code, "were tried already" in same.stderr) == (8, True)
        assert other.run("get", stdin=code.encode()).stdout == TEXT
        status, _, errors = end(maker)
        assert status == 0
        assert b"Other letters were typed. Tries left: 2.\n" in errors


def test_a_user_is_asked_again_after_wrong_letters(program: Program, other: Program) -> None:
    with made(program, "send", "--live") as (maker, code):
        shown = other.on_terminal(["get"], wrong(code), code)
        assert shown.endswith(TEXT.decode())
        assert end(maker)[0] == 0


def test_both_want_to_send(program: Program, other: Program) -> None:
    (other.home / "text").write_bytes(TEXT)
    with made(program, "send", "--live") as (_, code):
        refused = other.run("send", "--join", "text", stdin=code.encode())
        assert refused.code == 8
        assert refused.stderr.startswith("saver: Both computers want to do the same")


@pytest.mark.parametrize("given", ["9999 wUrp", "7 wUr", "0 wUrp", "7"])
def test_no_meeting_under_a_live_code(program: Program, given: str) -> None:
    assert program.run("get", stdin=given.encode()).code == (8 if given.startswith("9") else 2)


def test_a_live_transfer_has_no_password(program: Program) -> None:
    assert program.run("get", stdin=b"7 wUrp", password="secret").code == 2


@pytest.fixture
def tools(live_server: Server) -> Iterator[Tools]:
    """What another client in Python needs."""
    with HttpTransport(live_server.url) as transport:
        yield Tools(Messages(transport, time.sleep), live_server.url, SystemRandom(), time.monotonic)


def test_another_client_joins(program: Program, tools: Tools) -> None:
    with made(program, "send", "--live") as (maker, code):
        joiner = Joiner(tools, LiveCode.parse(code), Attempts(time.time))
        assert joiner.receive().encode() == TEXT
        assert end(maker)[0] == 0


def test_another_client_shows_the_code(program: Program, tools: Tools) -> None:
    maker = Maker.open(tools, "receiver")
    (program.home / "text").write_bytes(TEXT)
    with program.started("send", "--join", "text") as joiner:

        def type_code(_: int) -> None:
            assert joiner.stdin is not None
            joiner.stdin.write(str(maker.live_code).encode())
            joiner.stdin.close()

        assert maker.receive(type_code).encode() == TEXT
        assert end(joiner)[0] == 0
