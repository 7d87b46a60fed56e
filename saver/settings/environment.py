"""Read the settings from the environment and from ``.env``.

An error stops the start, and all errors are reported together, each with its variable. ``.env`` is in the
clone: the folder in which a process is started must not decide which database it uses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from saver.settings.fields import ENCODING, PREFIX, Settings, variable_names
from saver.settings.folders import BASE

# Names the file that is read below the environment; it is no setting of the service itself.
_ENV_FILE = f"{PREFIX}ENV_FILE"
# Of saver.client: somebody may use both programs.
_CLIENT_SERVICE = f"{PREFIX}SERVICE"


class SettingsError(Exception):
    """The settings are wrong; the message has one line for each error, with the name of the variable."""


def read_settings(**options: Any) -> Settings:
    """Read the environment and ``.env``, or the file that ``SAVER_ENV_FILE`` names.

    ``options`` win over both; None is no value. Raises SettingsError, with every error.
    """
    file = _env_file()
    given_options = {name: value for name, value in options.items() if value is not None}
    given = {**(_values_of(file) if file else {}), **os.environ}
    errors = [*_unknown(given), *_contradictions(given)]
    try:
        settings = Settings(_env_file=file, **given_options)
    except ValidationError as error:
        errors += [_message(detail, given) for detail in error.errors(include_input=False, include_url=False)]
        settings = None
    if errors or settings is None:
        raise SettingsError("\n".join(errors))
    return settings


def environment_without_settings(changed: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process for another program: without settings, with ``changed``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, **changed}


def notify_socket() -> str | None:
    """The socket of the service manager, if one started this process; see ``saver.ops.systemd``."""
    return os.environ.get("NOTIFY_SOCKET")


def _env_file() -> Path | None:
    named = os.environ.get(_ENV_FILE)
    if named is None:
        return BASE / ".env"
    if named and not (BASE / named).is_file():
        raise SettingsError(f"{_ENV_FILE}: there is no file {BASE / named}")
    return BASE / named if named else None


def _values_of(file: Path) -> dict[str, str | None]:
    try:
        text = file.read_text(ENCODING) if file.is_file() else ""
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise SettingsError(f"{file}: is not in UTF-8; save it as UTF-8")
    return dotenv_values(stream=StringIO(text))


def _unknown(given: Mapping[str, str | None]) -> list[str]:
    known = {
        _ENV_FILE,
        _CLIENT_SERVICE,
        *(name for field in Settings.model_fields for name in variable_names(field)),
    }
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
    return [f"{name}: is no setting of saver" for name in unknown]


def _contradictions(given: Mapping[str, str | None]) -> Iterator[str]:
    values = _with_upper_case_names(given)
    for field in Settings.model_fields:
        names = [name for name in variable_names(field) if name in values]
        if len({values[name] for name in names}) > 1:
            yield f"{' and '.join(names)}: are two names of one setting and have different values"


def _message(detail: ErrorDetails, given: Mapping[str, str | None]) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    return f"{_variable(str(detail['loc'][0]), given)}: {message}" if detail["loc"] else message


def _variable(location: str, given: Mapping[str, str | None]) -> str:
    """The variable that is wrong; ``location`` is its field or the present name of its variable."""
    name = location.upper().removeprefix(PREFIX)
    names = next(found for found in map(variable_names, Settings.model_fields) if found[0] == PREFIX + name)
    values = _with_upper_case_names(given)
    return " and ".join(found for found in names if found in values) or names[0]


def _with_upper_case_names(given: Mapping[str, str | None]) -> dict[str, str | None]:
    # pydantic-settings reads names in lower case too.
    return {name.upper(): value for name, value in given.items()}
