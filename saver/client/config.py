"""The address of the service: an option, then the environment, then the user's configuration file."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import platformdirs

from saver.client.errors import UsageError

VARIABLE = "SAVER_SERVICE"
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def variable(name: str) -> str:
    """Return a variable of the environment; an empty string if there is none."""
    return os.environ.get(name, "")


def config_file() -> Path:
    """Where the configuration file is."""
    return platformdirs.user_config_path("saver") / "config.toml"


def find_service(option: str | None) -> str:
    """Return the address of the service as docs/live-transfer.md writes it. Raises UsageError."""
    given = option or variable(VARIABLE) or _configured(config_file())
    if not given:
        raise UsageError(
            f'Which service? Write service = "https://…" into {config_file()}, set {VARIABLE},'
            " or use --service."
        )
    return parse_service(given)


def parse_service(given: str) -> str:
    """Return an address without a slash at its end; https may be left out. Raises UsageError."""
    # As in saver.client.http: it takes long to import.
    import httpx  # noqa: PLC0415

    shown = given.strip()
    try:
        url = httpx.URL(shown if _HAS_SCHEME.match(shown) else f"https://{shown}")
    except httpx.InvalidURL:
        raise UsageError("The address of the service is not an address.") from None
    if url.userinfo or url.query or url.fragment or not url.host or "%" in url.host:
        raise UsageError("The address of the service must be a scheme, a host and a path, and nothing else.")
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK_HOSTS):
        raise UsageError(
            "The address of the service must begin with https://, because http sends texts in clear;"
            " only http://localhost is allowed."
        )
    return str(url).rstrip("/")


def _configured(file: Path) -> str:
    """The address in the configuration file, or an empty string if there is none."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        raise UsageError(f"{file} cannot be read as TOML.") from None
    if not values.keys() <= {"service"} or not isinstance(values.get("service", ""), str):
        raise UsageError(f'{file} may have one line: service = "https://…"')
    return str(values.get("service", ""))
