"""What is asked and shown. Only results go to stdout; everything else goes to stderr."""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Timer

import click

from saver.client.errors import UnexpectedAnswerError, UsageError

_TERMINAL = Path("/dev/tty")
# When somebody begins to wonder whether anything happens.
_SLOW_SECONDS = 4


def note(message: str) -> None:
    """Say something on stderr."""
    click.echo(message, err=True)


def ask_password(*, confirm: bool) -> str:
    """Ask for a password without showing it. Raises UsageError where nobody can be asked."""
    # Without a terminal getpass would read it from stdin, which may be the text.
    if os.name == "posix":
        try:
            os.close(os.open(_TERMINAL, os.O_RDWR))
        except OSError:
            raise UsageError("There is no terminal to ask for the password; use --password-fd.") from None
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def ask_line(question: str, *, stdin_is_free: bool = True) -> str:
    """Ask for a line on the terminal, or read it from a stdin that is not one; it may be hidden nowhere else.

    ``stdin_is_free``: whether stdin is not the text. Raises UsageError where there is no line.
    """
    if sys.stdin.isatty():
        line: str = click.prompt(question, err=True)
        return line
    if stdin_is_free:
        line = sys.stdin.readline()
    else:
        note(f"{question}:")
        try:
            with _TERMINAL.open(encoding="utf-8") as terminal:
                line = terminal.readline()
        except OSError:
            line = ""
    if not line.strip():
        raise UsageError(f"There is no terminal to ask for this: {question}.")
    return line


def write_text(text: str) -> None:
    """Write a text to stdout, the same bytes; on a terminal control characters are shown as symbols."""
    if sys.stdout.isatty():
        # A text may come from a stranger, and an escape sequence can do a lot to a terminal.
        text = "".join(map(_harmless, text.replace("\r\n", "\n")))
        text += "" if text.endswith("\n") else "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def drop_stdout() -> None:
    """Drop what could not be written, so that Python does not try it again when it ends."""
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def _harmless(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) != "Cc":
        return character
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\N{SYMBOL FOR DELETE}"


def countdown(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait, and on a terminal show how long it still takes."""
    if not sys.stderr.isatty():
        note(f"Waiting for {seconds:.0f} seconds, as the service asks.")
        sleep(seconds)
        return
    left = seconds
    while left > 0:
        click.echo(f"\rWaiting, as the service asks: {left:.0f} s \033[K", nl=False, err=True)
        sleep(min(left, 1))
        left -= 1
    click.echo("\r\033[K", nl=False, err=True)


@contextmanager
def said_if_slow() -> Iterator[None]:
    """On a terminal, say after some seconds what is waited for."""
    timer = Timer(_SLOW_SECONDS, note, ["Waiting for the service …"])
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def local_time(timestamp: str) -> str:
    """Return a time of the service in the time zone of this computer. Raises UnexpectedAnswerError."""
    return _moment(timestamp).astimezone().strftime("%Y-%m-%d %H:%M")


def seconds_of(timestamp: str) -> float:
    """Return a time of the service in UTC seconds. Raises UnexpectedAnswerError."""
    return _moment(timestamp).timestamp()


def _moment(timestamp: str) -> datetime:
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        raise UnexpectedAnswerError from None
