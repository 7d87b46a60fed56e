"""`saver send` and `saver get` against a real service."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from random import Random

import pytest

from saver import seal
from tests.conftest import NO_LIMITS
from tests.support.process import wait_until
from tests.support.saver_program import Program
from tests.support.server import Server
from tests.support.snapshot import put_codes

PASSWORD = "p\u00e4ssword 금고"
CODE = re.compile(r"[a-zA-Z]{4}")
TEXTS = {
    "one letter": b"a",
    "line break at the end": b"a\nb\n",
    "windows": "\ufeffa\r\nb\r\n".encode(),
    "emoji": "👩‍👩‍👧 금고\u202e\x1b[31m".encode(),
    "1 MiB": (Random(16).randbytes(524_288).hex()).encode(),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "sealed"])
def test_a_text_arrives_to_the_byte(
    program: Program, other: Program, text: bytes, password: str | None
) -> None:
    sent = program.run("send", stdin=text, password=password)
    assert CODE.fullmatch(sent.line)
    got = other.run("get", sent.line, password=password)
    assert (got.code, got.stdout, got.stderr) == (0, text, "")


def test_a_file_is_sent(program: Program, other: Program) -> None:
    (program.home / "notes.txt").write_bytes(b"notes")
    assert other.run("get", program.run("send", "notes.txt").line).stdout == b"notes"


def test_the_code_is_read_from_stdin(program: Program, other: Program) -> None:
    sent = program.run("send", stdin=b"text")
    assert other.run("get", stdin=sent.stdout).stdout == b"text"


@pytest.mark.parametrize(
    "given", [b"\x00", b"a\0b", b"\xff\xfe", b"\x89PNG\r\n\x1a\n", "é".encode("latin-1")]
)
def test_what_is_not_text_is_refused_with_a_sentence(program: Program, given: bytes) -> None:
    sent = program.run("send", stdin=given)
    assert (sent.code, sent.stdout) == (6, b"")
    assert sent.stderr == (
        "saver: This is not text: saver takes text in UTF-8 without NUL, and no binary files.\n"
    )


def test_nothing_is_refused(program: Program) -> None:
    assert program.run("send").code == 6


def test_a_text_that_is_too_long_is_refused_with_the_limit(program: Program) -> None:
    sent = program.run("send", stdin=b"a" * 1_048_577)
    assert sent.code == 6
    assert sent.stderr == "saver: The text is too long: this service takes 1048576 bytes.\n"


def test_a_wrong_password_says_no_more_than_a_wrong_code(program: Program, other: Program) -> None:
    code = program.run("send", stdin=b"text", password=PASSWORD).line
    wrong = other.run("get", code, password="another")
    missing = other.run("get", code)
    unknown = other.run("get", "zzzz")
    assert wrong.code == missing.code == unknown.code == 3
    assert wrong.stderr == missing.stderr == unknown.stderr
    assert wrong.stdout == b""


def test_an_open_text_is_not_shown_if_a_password_was_given(program: Program, other: Program) -> None:
    code = program.run("send", "--once", stdin=b"open").line
    refused = other.run("get", code, password=PASSWORD)
    assert (refused.code, refused.stdout) == (7, b"")
    # The same reader, so a text for one reader is not lost.
    assert other.run("get", code).stdout == b"open"


def test_a_text_for_one_reader_is_read_once(program: Program, other: Program) -> None:
    code = program.run("send", "--once", stdin=b"once").line
    assert other.run("get", code).stdout == b"once"
    assert other.run("get", code).code == 3
    assert program.run("status", code).line == "read"


def test_a_text_that_could_not_be_written_is_loaded_again(program: Program, other: Program) -> None:
    code = program.run("send", "--once", stdin=b"once").line
    with Path("/dev/full").open("wb") as full, other.started("get", code, stdout=full) as failed:
        assert failed.wait() == 1
        assert failed.stderr is not None
        assert failed.stderr.read() == b"saver: Reading or writing failed: No space left on device.\n"
    assert other.run("get", code).stdout == b"once"


def test_a_phrase_is_shown_and_opens_in_any_spelling(program: Program, other: Program) -> None:
    sent = program.run("send", "--phrase", stdin=b"text")
    (phrase,) = re.findall(r"^Password: (.+)$", sent.stderr, re.MULTILINE)
    assert len(phrase.split()) == 5
    assert other.run("get", sent.line, password=f" {phrase.title()}. ").stdout == b"text"


def test_what_the_program_seals_the_service_cannot_read(program: Program, live_server: Server) -> None:
    code = program.run("send", stdin=b"text", password=PASSWORD).line
    status, missing = live_server.post("/api/v1/load", {"code": code})
    assert status == 404
    params = missing["seal"]
    assert isinstance(params, dict)
    keys = seal.derive(PASSWORD, seal.Seal(seal.decode(params["salt"]), params["iterations"]))
    _, loaded = live_server.post("/api/v1/load", {"code": code, "proof": seal.encode(keys.proof)})
    assert seal.decrypt(str(loaded["text"]), keys.key) == "text"
    assert live_server.post("/api/v1/load", {"code": code, "password": PASSWORD})[1]["text"] == "text"


def test_what_the_service_seals_the_program_opens(program: Program, live_server: Server) -> None:
    _, written = live_server.post("/api/v1/write", {"text": "text", "password": PASSWORD})
    assert program.run("get", str(written["code"]), password=PASSWORD).stdout == b"text"


def test_json(program: Program, other: Program) -> None:
    sent = json.loads(program.run("send", "--json", "--for", "1h", "--once", stdin=b"text").line)
    assert sent.keys() == {"code", "expires_at", "sealed", "once"}
    got = json.loads(other.run("get", "--json", sent["code"]).line)
    assert got == {"text": "text", "expires_at": got["expires_at"], "once": True, "sealed": False}
    gone = other.run("get", "--json", sent["code"])
    assert json.loads(gone.stderr)["error"] == "no-text"


@pytest.mark.parametrize("given", ["10", "1x", "", "1h!", "h"])
def test_a_time_without_a_unit_is_refused(program: Program, given: str) -> None:
    assert program.run("send", "--for", given, stdin=b"text").code == 2


def test_a_time_that_the_service_does_not_allow_is_refused_with_its_rule(program: Program) -> None:
    sent = program.run("send", "--for", "7d", stdin=b"text")
    assert sent.code == 6
    assert "must be 60 to 86400 seconds" in sent.stderr


@pytest.mark.parametrize("given", [["7 wUrp"], ["7", "wUrp"], ["7wUrp"]])
def test_a_live_code_is_not_taken_as_an_argument(program: Program, given: list[str]) -> None:
    refused = program.run("get", *given)
    assert refused.code == 2
    assert "wUrp" not in refused.stderr


@pytest.mark.parametrize("given", ["wUr", "wUrpp", "wU_p"])
def test_a_wrong_code_is_not_repeated(program: Program, given: str) -> None:
    refused = program.run("get", given)
    assert (refused.code, refused.stderr) == (2, "saver: The code must be four letters, a-z or A-Z.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "--password", "--phrase"],
        ["send", "--live", "--join"],
        ["send", "--live", "--once"],
        ["send", "--password-fd", "0"],
        ["get", "--password-fd", "0"],
        ["get", "--password-fd", "97", "wUrp"],
        ["send", "--paste", "notes.txt"],
        ["send", "--password", "hunter2"],
        # There is no terminal.
        ["send", "--password"],
    ],
)
def test_what_cannot_be_meant_is_refused(program: Program, arguments: list[str]) -> None:
    (program.home / "notes.txt").write_text("notes")
    assert program.run(*arguments, stdin=b"wUrp").code == 2


def test_a_text_that_has_expired(tmp_path: Path, migrated: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", ["aaaa"])
    with Server(folder, {**NO_LIMITS, "min_expires_in": 1}) as server:
        program = Program(tmp_path, server.url)
        code = program.run("send", "--for", "1s", stdin=b"text").line
        wait_until(lambda: program.run("get", code).code == 3, "the text does not expire")
        assert program.run("status", code).line == "expired"


def test_the_clipboard_is_sent(program: Program, other: Program) -> None:
    # In place of a desktop.
    (program.home / "xclip").write_text("#!/bin/sh\nprintf 'copied\\r\\n'\n")
    (program.home / "xclip").chmod(0o755)
    program.environ |= {"PATH": str(program.home), "DISPLAY": ":0"}
    assert other.run("get", program.run("send", "--paste").line).stdout == b"copied\r\n"
    del program.environ["DISPLAY"]
    assert program.run("send", "--paste").code == 1


def test_the_password_is_asked_for_on_the_terminal(program: Program, other: Program) -> None:
    (program.home / "text").write_bytes(b"text")
    sent = program.on_terminal(["send", "--password", "text"], PASSWORD, PASSWORD)
    assert PASSWORD not in sent
    code = sent.split()[-1]
    got = other.on_terminal(["get", "--password"], code, PASSWORD)
    assert PASSWORD not in got
    assert got.endswith("text\r\n")


def test_a_text_cannot_send_escape_sequences_to_a_terminal(program: Program, other: Program) -> None:
    code = program.run("send", stdin="\x1b[31mred\r\x7f\x9b\r\n".encode()).line
    assert other.on_terminal(["get", code]) == "\u241b[31mred\u240d\u2421\u2421\r\n"
