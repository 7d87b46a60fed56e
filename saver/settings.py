"""Settings: read once from ``SAVER_*`` and ``.env``, typed and checked.

A fault stops the start and every fault is named at once, by its variable.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
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
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "SAVER_"
_SECRET_FILE = "secret_key"  # noqa: S105 - a file name
_SECRET_BYTES = 32
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

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="address that `scripts/serve` listens on")
    port: Port = Field(8000, description="port that `scripts/serve` listens on")
    processes: PositiveInt = Field(2, description="API processes that `scripts/serve` starts")
    threads: PositiveInt = Field(8, description="threads in each of them")
    request_timeout: Seconds = Field(
        20,
        description="how long a request's header may take to arrive, and its body beyond a second for each"
        " 4,000 bytes, in seconds",
    )
    data_dir: Path = Field(Path("instance"), description="where the database and the secret key lie")
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
    live_texts: Count = Field(1_000, description="live texts that one source may keep; 0: no limit")
    live_bytes: Count = Field(
        67_108_864, description="bytes that the live texts of one source may have; 0: no limit"
    )
    loads_a_minute: Count = Field(120, description="loads of one source in a minute; 0: no limit")
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
        """The SQLAlchemy URL in force."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir.resolve() / 'saver.db'}"

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
    """Read the environment and ``.env``. Raises SettingsError, which names every fault."""
    faults = [f"{name}: is no setting of saver" for name in _unknown({**dotenv_values(".env"), **os.environ})]
    try:
        settings = Settings()
    except ValidationError as error:
        faults += [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]
        settings = None
    if faults or settings is None:
        raise SettingsError("\n".join(faults))
    return settings


def notify_socket() -> str | None:
    """Where the service manager wants to be told, if one started this process; see ``saver.notify``."""
    return os.environ.get("NOTIFY_SOCKET")


def secret_of(settings: Settings) -> bytes:
    """The server's secret: the setting, or the file in the data directory, made on first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / _SECRET_FILE
    if not path.exists():
        _make_secret(path)
    return path.read_bytes()


def _make_secret(path: Path) -> None:
    # Written aside and linked, so that of several processes that start at once
    # one wins and none reads half a key.
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_SECRET_BYTES))
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()


def _unknown(environ: Mapping[str, str | None]) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _sentence(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    return f"{PREFIX}{str(detail['loc'][0]).upper()}: {message}"
