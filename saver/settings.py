"""Settings: read once from ``SAVER_*`` and ``.env``, typed and checked.

A fault stops the start and every fault is named at once, by its variable. ``.env`` is the clone's, and a
relative path begins there: where a process was started must not decide which database it works on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    Field,
    IPvAnyNetwork,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "SAVER_"
_ROOT = Path(__file__).resolve().parent.parent
# Where the file is that is read below the environment; no setting of the service itself.
_ENV_FILE = f"{PREFIX}ENV_FILE"
# With or without the byte order mark that editors on Windows put in front.
_ENCODING = "utf-8-sig"
# JSON writes a control character as \u0001: six bytes for one.
_JSON_PER_BYTE = 6
_ROOM_FOR_THE_REST = 65_536
_STORAGES = ("redis", "rediss", "redis+unix", "shared")

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Secret = Annotated[SecretStr, Field(min_length=32)]
Network = IPvAnyNetwork
Proxy = Literal["unix"] | Network


class SettingsError(Exception):
    """What is wrong with the settings, a line each, by the variable's name."""


class Settings(BaseSettings):
    """Every setting with its default. The description is what the README says of it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding=_ENCODING, extra="ignore", frozen=True
    )

    host: str = Field("127.0.0.1", description="address that `scripts/serve` listens on")
    port: Port = Field(8000, description="port that `scripts/serve` listens on")
    processes: PositiveInt = Field(2, description="API processes that `scripts/serve` starts")
    threads: PositiveInt = Field(8, description="threads in each of them")
    request_timeout: Seconds = Field(
        20,
        description="how long a request's header may take to arrive, and its body beyond a second for each"
        " 4,000 bytes, in seconds",
    )
    data_dir: Path = Field(
        Path("instance"),
        description="where the database and the secret key lie; a relative path begins in the clone",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="where the texts lie; empty: the SQLite file `saver.db` in the data directory;"
        " `postgresql://user@host/name`: for several machines",
    )
    secret_key: Secret | None = Field(
        None,
        description="keys decoys and budgets; empty: made once, `secret_key` in the data directory",
    )
    limits_url: str = Field(
        "",
        repr=False,
        description="where budgets are counted and receipts noted; empty: in files of the data directory,"
        " exact for every process of one machine; `redis://user:password@host:port`, `rediss://` with TLS,"
        " `redis+unix:///path`: for several machines, which then need the same `SAVER_SECRET_KEY`",
    )
    trusted_proxies: Annotated[tuple[Proxy, ...], NoDecode] = Field(
        (),
        description="addresses or networks whose `X-Forwarded-For` is believed, separated by commas; `unix`:"
        " whoever comes over a unix socket",
    )

    metrics_allowed: Annotated[tuple[Network, ...], NoDecode] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="addresses or networks that may read `/metrics`, separated by commas",
    )
    contact: str = Field("", description="where to write about abuse; shown on the page")
    terms_url: str = Field("", description="address of the terms of use; shown on the page")

    max_text_bytes: PositiveInt = Field(1_048_576, description="longest text, in bytes of UTF-8")
    default_expires_in: Seconds = Field(600, description="life of a text if none is asked for, in seconds")
    min_expires_in: Seconds = Field(60, description="shortest life of a text, in seconds")
    max_expires_in: Seconds = Field(86_400, description="longest life of an open text, in seconds")
    max_expires_in_sealed: Seconds = Field(
        2_592_000, description="longest life of a text with a password, in seconds"
    )
    rest: Count = Field(86_400, description="how long a code rests before it is leased again, in seconds")
    sweep_every: Seconds = Field(5, description="how often the worker sweeps, in seconds")
    derive_at_once: PositiveInt = Field(2, description="passwords that a process derives at a time")

    writes_a_minute: Count = Field(20, description="writes of one source in a minute; 0: no limit")
    writes_an_hour: Count = Field(200, description="writes of one source in an hour; 0: no limit")
    writes_an_hour_per_network: Count = Field(
        2_000, description="writes of one IPv6 /48 in an hour; 0: no limit"
    )
    live_texts: Count = Field(1_000, description="live texts that one source may keep; 0: no limit")
    live_bytes: Count = Field(
        67_108_864, description="bytes that the live texts of one source may have; 0: no limit"
    )
    live_texts_per_network: Count = Field(
        4_000, description="live texts that one IPv6 /48 may keep; 0: no limit"
    )
    live_bytes_per_network: Count = Field(
        268_435_456, description="bytes that the live texts of one IPv6 /48 may have; 0: no limit"
    )
    live_bytes_in_all: Count = Field(
        10_737_418_240, description="bytes that the live texts of everybody may have; 0: no limit"
    )
    disk_reserve: Count = Field(
        67_108_864,
        description="bytes that are kept free on the disk of an SQLite file: writes are refused before,"
        " so that texts can always be wiped; 0: none",
    )
    disk_reserve_percent: Annotated[int, Field(ge=0, le=99)] = Field(
        1, description="the same in percent of that disk; whichever is more holds; 0: none"
    )
    loads_a_minute: Count = Field(120, description="loads of one source in a minute; 0: no limit")
    loads_a_minute_per_network: Count = Field(
        1_200, description="loads of one IPv6 /48 in a minute; 0: no limit"
    )
    misses_a_minute: Count = Field(10, description="misses of one source in a minute; 0: no limit")
    misses_an_hour: Count = Field(60, description="misses of one source in an hour; 0: no limit")
    misses_a_day: Count = Field(200, description="misses of one source in a day; 0: no limit")
    misses_a_day_per_network: Count = Field(1_000, description="misses of one IPv6 /48 in a day; 0: no limit")
    misses_a_day_in_all: Count = Field(20_000, description="misses of everybody in a day; 0: no limit")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="what is logged")

    @field_validator("trusted_proxies", "metrics_allowed", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return (
            [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given
        )

    @field_validator("data_dir")
    @classmethod
    def _from_the_clone(cls, given: Path) -> Path:
        return _ROOT / given

    @field_validator("*", mode="before")
    @classmethod
    def _is_unicode(cls, given: object, info: ValidationInfo) -> object:
        # The name of a directory may be any bytes.
        if isinstance(given, str) and info.field_name != "data_dir":
            try:
                given.encode()
            except UnicodeEncodeError:
                # It would start, and then fail wherever the value is shown.
                raise ValueError("must be in UTF-8") from None
        return given

    @field_validator("limits_url")
    @classmethod
    def _names_a_storage(cls, given: str) -> str:
        # No part of it is repeated: where it is broken, its password may stand in any of them.
        try:
            parts = urlsplit(given)
            known = not given or (parts.scheme in _STORAGES and parts.port != 0)
        except ValueError:
            known = False
        if not known:
            raise ValueError(f"must be a URL that begins with one of {', '.join(_STORAGES)}")
        return given

    @model_validator(mode="after")
    def _lives_in_order(self) -> Self:
        lives = (
            self.min_expires_in,
            self.default_expires_in,
            self.max_expires_in,
            self.max_expires_in_sealed,
        )
        if list(lives) != sorted(lives):
            raise ValueError(
                "SAVER_MIN_EXPIRES_IN <= SAVER_DEFAULT_EXPIRES_IN <= SAVER_MAX_EXPIRES_IN"
                " <= SAVER_MAX_EXPIRES_IN_SEALED must hold"
            )
        return self

    @property
    def database(self) -> str:
        """The SQLAlchemy URL that is set; empty: the file in the data directory."""
        return self.database_url.get_secret_value()

    @property
    def max_body_bytes(self) -> int:
        """The longest body of a request in which the longest text can come; Apache is told the same."""
        return self.max_text_bytes * _JSON_PER_BYTE + _ROOM_FOR_THE_REST

    @property
    def counts(self) -> str:
        """The URL of the storage that counts the budgets."""
        return self.limits_url or f"shared://{self.data_dir.resolve() / 'counts'}"

    @property
    def has_redis(self) -> bool:
        """Whether there is a Redis that all machines share."""
        return self.counts.startswith("redis")


def read_settings() -> Settings:
    """Read the environment and the clone's ``.env``, or the file that ``SAVER_ENV_FILE`` names.

    Raises SettingsError, which names every fault.
    """
    file = _env_file()
    in_file = _values_of(file) if file else {}
    faults = [f"{name}: is no setting of saver" for name in _unknown({**in_file, **os.environ})]
    try:
        settings = Settings(_env_file=file)
    except ValidationError as error:
        faults += [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]
        settings = None
    if faults or settings is None:
        raise SettingsError("\n".join(faults))
    return settings


def _env_file() -> Path | None:
    named = os.environ.get(_ENV_FILE)
    if named is None:
        return _ROOT / ".env"
    if named and not (_ROOT / named).is_file():
        raise SettingsError(f"{_ENV_FILE}: there is no file {_ROOT / named}")
    return _ROOT / named if named else None


def environment_of_others(told: Mapping[str, str]) -> dict[str, str]:
    """The environment of another program that is started, with what it is told; without our settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, **told}


def _values_of(file: Path) -> dict[str, str | None]:
    try:
        text = file.read_text(_ENCODING) if file.is_file() else ""
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise SettingsError(f"{file}: is not in UTF-8; save it as UTF-8")
    return dotenv_values(stream=StringIO(text))


def notify_socket() -> str | None:
    """Where the service manager wants to be told, if one started this process; see ``saver.ops.systemd``."""
    return os.environ.get("NOTIFY_SOCKET")


def _unknown(environ: Mapping[str, str | None]) -> list[str]:
    known = {_ENV_FILE, *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _sentence(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    return f"{PREFIX}{str(detail['loc'][0]).upper()}: {message}"
