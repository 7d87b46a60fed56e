"""`saver status`, `extend` and `delete`: the owner tokens of the texts that were saved here."""

from __future__ import annotations

import json

import pytest

from saver.client.state import State
from tests.conftest import Clock
from tests.support.saver_program import Program


def test_a_text_is_followed_extended_and_deleted(program: Program, other: Program) -> None:
    code = program.run("send", stdin=b"text").line
    assert program.run("status", code).line.startswith("waiting, until 20")
    assert other.run("get", code).stdout == b"text"
    before = json.loads(program.run("status", "--json", code).line)
    assert before["state"] == "loaded"
    extended = json.loads(program.run("extend", "--json", code, "--for", "2h").line)
    assert extended["expires_at"] > before["expires_at"]
    assert program.run("extend", code, "--for", "1h").line.startswith("until 20")
    assert program.run("delete", code).line == "deleted"
    assert other.run("get", code).code == 3
    assert program.run("status", code).line == "deleted"


def test_wrong_passwords_are_counted(program: Program, other: Program) -> None:
    code = program.run("send", stdin=b"text", password="right").line
    assert other.run("get", code, password="wrong").code == 3
    assert program.run("status", code).line.endswith(", wrong passwords: 1")


@pytest.mark.parametrize("command", [["status"], ["extend", "--for", "1h"], ["delete"]])
def test_nobody_else_has_the_token(program: Program, other: Program, command: list[str]) -> None:
    code = program.run("send", stdin=b"text").line
    refused = other.run(*command, code)
    assert refused.code == 3
    assert refused.stderr == "saver: No text was saved under this code from here, or it is long gone.\n"


def test_tokens_are_for_this_user_only(program: Program) -> None:
    code = program.run("send", stdin=b"text", password="secret").line
    (file,) = (program.state / "tokens").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(file.read_text()).keys() == {"owner_token", "until"}
    # Two services may give the same code.
    program.environ["SAVER_SERVICE"] = program.environ["SAVER_SERVICE"].replace("127.0.0.1", "localhost")
    assert program.run("status", code).code == 3


def test_a_state_directory_that_cannot_be_written_loses_only_the_token(program: Program) -> None:
    (program.home / "state").write_text("in the way")
    sent = program.run("send", stdin=b"text")
    assert sent.line
    assert "The owner token could not be stored" in sent.stderr


def test_what_has_ended_is_forgotten(program: Program, clock: Clock) -> None:
    state = State(program.state, clock)
    state.put("tokens", "service", "wUrp", until=clock.now + 60, owner_token="one")
    clock.tick(59)
    assert state.get("tokens", "service", "wUrp")["owner_token"] == "one"
    clock.tick(1)
    assert state.get("tokens", "service", "wUrp") == {}
    state.put("tokens", "service", "wurp", until=clock.now + 60, owner_token="two")
    assert len(list((program.state / "tokens").iterdir())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"until": "x"}'])
def test_a_damaged_file_is_no_token(program: Program, clock: Clock, content: str) -> None:
    state = State(program.state, clock)
    state.put("tokens", "wUrp", until=clock.now + 60, owner_token="one")
    (file,) = (program.state / "tokens").iterdir()
    file.write_text(content)
    assert state.get("tokens", "wUrp") == {}
