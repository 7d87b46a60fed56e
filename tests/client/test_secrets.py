"""Where secrets must not be: arguments, the environment, error messages, and files that others can read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from socket import create_server, socket

import pytest

from tests.support.process import wait_until
from tests.support.saver_program import Program

TEXT = b"canary-of-the-text"
# More than a pipe holds.
LONG = TEXT * 10_000
PASSWORD = "canary-of-the-password"
Child = subprocess.Popen[bytes]


@pytest.fixture
def silent() -> Iterator[socket]:
    """A service that takes a connection and never answers."""
    with create_server(("127.0.0.1", 0)) as listener:
        yield listener


def seen_by_others(process: int) -> bytes:
    """What a list of processes and a dump of the environment show of a program and its children."""
    shown = b""
    for folder in Path("/proc").glob("[0-9]*"):
        # Any other process may end meanwhile.
        with suppress(OSError):
            if os.getsid(int(folder.name)) == process:
                shown += b"\n".join((folder / name).read_bytes() for name in ("cmdline", "environ", "comm"))
    return shown


def shown_by_ps(process: int) -> bytes:
    """The same as `ps` shows it."""
    return subprocess.run(["ps", "eww", "-s", str(process)], check=True, capture_output=True).stdout


@contextmanager
def with_password(program: Program, command: str) -> Iterator[Child]:
    """A running command that gets the password from a file descriptor."""
    password = program.home / "password"
    password.write_text(PASSWORD)
    with password.open("rb") as opened:
        password.unlink()
        descriptor = opened.fileno()
        with program.started(command, "--password-fd", str(descriptor), pass_fds=(descriptor,)) as child:
            yield child


@pytest.mark.parametrize("look", [seen_by_others, pytest.param(shown_by_ps, marks=pytest.mark.system)])
def test_a_running_program_shows_no_secret(
    program: Program, silent: socket, look: Callable[[int], bytes]
) -> None:
    program.environ["SAVER_SERVICE"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
    with with_password(program, "send") as child:
        write(child, TEXT)
        connection, _ = silent.accept()
        with connection:
            request = b""
            while not request.endswith(b"}"):
                request += connection.recv(65_536)
            shown = look(child.pid)
    assert b"--password-fd" in shown
    for secret in (TEXT, PASSWORD.encode()):
        assert secret not in shown
        # Not even the service gets them.
        assert secret not in request
    assert b"/write HTTP" in request
    assert all(secret not in left(program) for secret in (TEXT, PASSWORD.encode()))


@contextmanager
def opens(reader: Program, sender: Program) -> Iterator[tuple[Child, bytes]]:
    """`get` of a text with a password, and the code."""
    code = sender.run("send", stdin=LONG, password=PASSWORD).stdout.strip()
    with with_password(reader, "get") as child:
        write(child, code)
        yield child, code


@contextmanager
def joins(reader: Program, sender: Program) -> Iterator[tuple[Child, bytes]]:
    """`get` that joins a live transfer, and its letters."""
    with sender.started("send", "--live") as maker, reader.started("get") as child:
        write(maker, LONG)
        code = live_code(maker)
        write(child, code)
        yield child, code[-4:]


@contextmanager
def receives(reader: Program, sender: Program) -> Iterator[tuple[Child, bytes]]:
    """`receive`, and the letters of its live code."""
    (sender.home / "text").write_bytes(LONG)
    with reader.started("receive") as child, sender.started("send", "--join", "text") as joiner:
        code = live_code(child)
        write(joiner, code)
        yield child, code[-4:]


@pytest.mark.parametrize(
    ("run", "look"),
    [
        (opens, seen_by_others),
        (joins, seen_by_others),
        (receives, seen_by_others),
        pytest.param(opens, shown_by_ps, marks=pytest.mark.system),
        pytest.param(joins, shown_by_ps, marks=pytest.mark.system),
    ],
)
def test_a_program_that_has_opened_a_text_shows_no_secret(
    program: Program,
    other: Program,
    run: Callable[[Program, Program], AbstractContextManager[tuple[Child, bytes]]],
    look: Callable[[int], bytes],
) -> None:
    with run(other, program) as (child, code):
        assert child.stdout is not None
        # From here on it waits until the rest is read.
        begun = child.stdout.read(1)
        shown = look(child.pid)
        assert begun + child.stdout.read() == LONG
        assert child.wait() == 0
    assert b"saver.client.cli" in shown
    assert b"XDG_STATE_HOME" in shown
    for secret in (TEXT, PASSWORD.encode(), code):
        assert secret not in shown


def write(child: Child, given: bytes) -> None:
    """Write all of its stdin."""
    assert child.stdin is not None
    child.stdin.write(given)
    child.stdin.close()


def live_code(maker: Child) -> bytes:
    """The live code that a program shows."""
    assert maker.stderr is not None
    return maker.stderr.readline().strip()


def left(program: Program) -> bytes:
    """All that the program has left in the user's home."""
    return b"".join(file.read_bytes() for file in program.home.rglob("*") if file.is_file())


def test_nothing_that_stays_on_the_computer_has_a_secret(program: Program, other: Program) -> None:
    code = program.run("send", stdin=TEXT, password=PASSWORD).line
    assert other.run("get", code, password="wrong").code == 3
    assert other.run("get", code, password=PASSWORD).stdout == TEXT
    for home in (program, other):
        found = left(home)
        for secret in (TEXT, PASSWORD.encode(), b"wrong", code.encode()):
            assert secret not in found


def test_a_live_code_is_in_no_argument_and_not_in_the_environment(program: Program, other: Program) -> None:
    with program.started("send", "--live") as maker:
        write(maker, TEXT)
        code = live_code(maker)
        with other.started("get") as joiner:
            assert joiner.stdin is not None
            wait_until(lambda: b"saver.client.cli" in seen_by_others(joiner.pid), "the program starts")
            joiner.stdin.write(code)
            joiner.stdin.flush()
            shown = seen_by_others(maker.pid) + seen_by_others(joiner.pid)
            joiner.stdin.close()
            assert joiner.wait() == 0
    assert code[-4:] not in shown
    assert TEXT not in shown
