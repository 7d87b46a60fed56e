"""Where to listen and where the data lies, known before anything is installed.

The same order as in saver.settings: an option, then the environment, then ``.env``, then the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from _setup import ROOT, stop

_ASSIGNMENT = re.compile(r"""\s*(?:export\s+)?(\w+)\s*=\s*(?:'([^']*)'|"([^"]*)"|(.*?))\s*(?:(?<=\s)#.*)?""")
_MAX_PORT = 65_535


def explicit_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """``SAVER_*`` of ``environ`` and, below it, of the clone's ``.env``; names in upper case.

    ``SAVER_ENV_FILE`` names another file; where it is empty there is none.
    """
    file = ROOT / environ.get("SAVER_ENV_FILE", ".env")
    return {**upper_case_names(dict(_assignments(_lines_of(file)))), **upper_case_names(environ)}


def upper_case_names(variables: Mapping[str, str]) -> dict[str, str]:
    """Only ``SAVER_*``, in upper case: saver.settings ignores case too."""
    return {name.upper(): value for name, value in variables.items() if name.upper().startswith("SAVER_")}


def port_number(text: str) -> int | None:
    """The port, or None if it is none: then the settings say so, together with their other errors."""
    return int(text) if text.isdecimal() and int(text) <= _MAX_PORT else None


def absolute(directory: str) -> str:
    """A directory that the caller named, from where the caller stands."""
    return str(Path(directory).expanduser().absolute())


def _lines_of(dotenv: Path) -> list[str]:
    try:
        # With or without the byte order mark that editors on Windows put in front.
        text = dotenv.read_text("utf-8-sig") if dotenv.is_file() else ""
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        stop(f"{dotenv}: cannot be read: {error.strerror}")
    if "\0" in text:
        stop(f"{dotenv}: is not in UTF-8; save it as UTF-8")
    return text.splitlines()


def _assignments(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if match := _ASSIGNMENT.fullmatch(line):
            name, *values = match.groups()
            yield name, next(value for value in values if value is not None)
