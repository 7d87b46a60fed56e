"""Where a text, a password and a code come from, and the rules for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import IO

import click

from saver.client.config import variable
from saver.client.errors import RefusedError, SaverError, UsageError
from saver.codes import BadCodeError, Code

# Of a service that says nothing else.
USUAL_MAX_BYTES = 1_048_576
_MAX_PASSWORD_CHARACTERS = 1_024
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_PART = r"(\d{1,7})\s*(s|min|m|h|d)\s*"
_CLIPBOARDS = (
    ("WAYLAND_DISPLAY", ["wl-paste", "--no-newline"]),
    ("DISPLAY", ["xclip", "-selection", "clipboard", "-out"]),
    ("DISPLAY", ["xsel", "--clipboard", "--output"]),
    ("", ["pbpaste"]),
    ("", ["powershell.exe", "-NoProfile", "-Command", "Get-Clipboard -Raw"]),
)


def duration(_: click.Context, __: click.Parameter, given: str | None) -> int | None:
    """Return the seconds of a time such as 90s, 10m, 1h, 1h30m or 7d, as a callback of an option."""
    if given is None:
        return None
    if not re.fullmatch(f"({_PART})+", given):
        raise click.BadParameter("must be a time such as 10m, 1h, 1h30m or 7d")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(_PART, given))


def read_text(source: IO[bytes], max_bytes: Callable[[], int]) -> str:
    """Read a text. ``max_bytes`` asks the service; only for a long text. Raises RefusedError."""
    data = source.read(USUAL_MAX_BYTES + 1)
    if len(data) > USUAL_MAX_BYTES:
        allowed = max_bytes()
        data += source.read(max(0, allowed + 1 - len(data)))
        if len(data) > allowed:
            raise too_long(allowed)
    return text_of(data)


def too_long(allowed: int) -> RefusedError:
    """The error for a text that is too long."""
    return RefusedError(f"The text is too long: this service takes {allowed} bytes.")


def text_of(data: bytes) -> str:
    """Return bytes as a text. Raises RefusedError."""
    if not data:
        raise RefusedError("There is no text: the input is empty.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise RefusedError("This is not text: saver takes text in UTF-8 without NUL, and no binary files.")
    return text


def paste() -> bytes:
    """Return what is in the clipboard. Raises SaverError."""
    for needed, command in _CLIPBOARDS:
        program = shutil.which(command[0])
        if program and (not needed or variable(needed)):
            # The program is one of the table.
            found = subprocess.run([program, *command[1:]], capture_output=True, check=False)  # noqa: S603
            if found.returncode == 0:
                return found.stdout
    raise SaverError(
        "The clipboard cannot be read: that needs a desktop and wl-paste, xclip, xsel or pbpaste."
    )


def password_from(descriptor: int) -> str:
    """Read a password from a file descriptor, without the line break at its end. Raises UsageError."""
    try:
        with os.fdopen(descriptor, "rb") as source:
            given = source.read().decode()
    except (OSError, UnicodeDecodeError):
        raise UsageError("--password-fd: the file descriptor cannot be read, or is not UTF-8.") from None
    return checked_password(given.removesuffix("\n").removesuffix("\r"))


def checked_password(password: str) -> str:
    """Return a password that the service takes too. Raises UsageError."""
    if not 1 <= len(password) <= _MAX_PASSWORD_CHARACTERS:
        raise UsageError(f"The password must have 1 to {_MAX_PASSWORD_CHARACTERS} characters.")
    return password


def code_of(given: str) -> Code:
    """Read a code. Raises UsageError, which does not repeat it."""
    try:
        return Code.parse(given)
    except BadCodeError as error:
        raise UsageError(f"The code {error}.") from None


def is_live(given: str) -> bool:
    """Whether it can only be a live code: those of texts have no digit."""
    return any(character.isdecimal() for character in given)


def is_stdin(source: IO[bytes]) -> bool:
    """Whether a source is stdin."""
    return source is sys.stdin.buffer
