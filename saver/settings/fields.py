"""Every setting: its name, type, default and meaning. docs/settings.md is made from them."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from saver.settings.folders import BASE, DATA_DIR
from saver.settings.types import (
    Bytes,
    Loads,
    Misses,
    Network,
    Port,
    Proxy,
    PublicUrl,
    Requests,
    Seconds,
    Secret,
    StorageUrl,
    Texts,
    Unit,
    Writes,
)

PREFIX = "SAVER_"
# With or without the byte order mark that editors on Windows put in front.
ENCODING = "utf-8-sig"
# JSON writes a control character as \u0001: six bytes for one.
_JSON_PER_BYTE = 6
_OTHER_FIELDS = 65_536


def _with_old_name(name: str, old: str) -> AliasChoices:
    return AliasChoices(PREFIX + name, PREFIX + old)


class Settings(BaseSettings):
    """Every setting with its default. The descriptions are sentences of docs/settings.md."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding=ENCODING, extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="The address that `serve` listens on.")
    port: Port = Field(8000, description="The port that `serve` listens on.")
    processes: Annotated[PositiveInt, Unit("processes")] = Field(
        2, description="How many API processes `serve` starts."
    )
    threads: Annotated[PositiveInt, Unit("threads")] = Field(
        8, description="How many threads each API process has. Three take requests, more while those wait."
    )
    request_timeout: Seconds = Field(
        20,
        description="The time in which the header of a request must arrive."
        " A body has this time and one more second for each 4,000 bytes.",
    )
    data_dir: Path = Field(
        DATA_DIR,
        description="The directory of the database and the secret key. A relative path begins in the clone.",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="The database. Empty: the SQLite file `saver.db` in the data directory."
        " `postgresql://user@host/name`: PostgreSQL, for several machines.",
    )
    secret_key: Secret | None = Field(
        None,
        description="The secret, of at least 32 characters, that encrypts stored texts and keys the hashes of"
        " addresses, the decoys and the owner tokens of repeated writes. Empty: the file `secret_key` in the"
        " data directory, which is made at the first start. Several machines need the same.",
    )
    old_secret_keys: Annotated[tuple[Secret, ...], NoDecode] = Field(
        (), description="Former values of `SAVER_SECRET_KEY`, separated by commas, which open older texts."
    )
    rate_limit_storage: StorageUrl = Field(
        "",
        repr=False,
        validation_alias=_with_old_name("RATE_LIMIT_STORAGE", "LIMITS_URL"),
        description="Where rate limits are counted and receipts are stored. Empty: in files of the data"
        " directory, exact for all processes of one machine. `redis://user:password@host:port`,"
        " `rediss://` with TLS or `redis+unix:///path`: in a Redis, exact for several machines.",
    )
    trusted_proxies: Annotated[tuple[Proxy, ...], NoDecode] = Field(
        (),
        description="The addresses or networks, separated by commas, whose `X-Forwarded-For` is believed."
        " `unix`: every client of a unix socket.",
    )
    metrics_allowed: Annotated[tuple[Network, ...], NoDecode] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="The addresses or networks, separated by commas, that may read `/metrics`.",
    )
    public_url: PublicUrl = Field(
        "",
        description="The address of the page, for the commands that it shows where there is no JavaScript."
        " Needed only if the page is below a path. Empty: the address by which the request came.",
    )
    contact: str = Field("", description="Where to report abuse. The page and `security.txt` have it.")
    terms_url: str = Field("", description="The address of the terms of use. The page shows it.")

    max_text_bytes: Annotated[PositiveInt, Unit("bytes")] = Field(
        1_048_576, description="The size of the longest text, in UTF-8."
    )
    default_expires_in: Seconds = Field(600, description="The life of a text if the client asks for none.")
    min_expires_in: Seconds = Field(60, description="The shortest life of a text.")
    max_expires_in: Seconds = Field(86_400, description="The longest life of a text without a password.")
    max_expires_in_sealed: Seconds = Field(
        2_592_000, description="The longest life of a text with a password."
    )
    code_cooldown: Annotated[int, Field(ge=0), Unit("seconds")] = Field(
        86_400,
        validation_alias=_with_old_name("CODE_COOLDOWN", "REST"),
        description="The time between the end of a text and the return of its code to the pool.",
    )
    sweep_interval: Seconds = Field(
        5,
        validation_alias=_with_old_name("SWEEP_INTERVAL", "SWEEP_EVERY"),
        description="The time between two sweeps of the worker.",
    )
    max_concurrent_kdf: Annotated[PositiveInt, Unit("threads")] = Field(
        2,
        validation_alias=_with_old_name("MAX_CONCURRENT_KDF", "DERIVE_AT_ONCE"),
        description="How many threads of a process may compute the key of a password at the same time."
        " One computation keeps one processor busy.",
    )

    writes_a_minute: Writes = Field(20, description="The writes of one source in a minute. 0: no limit.")
    writes_an_hour: Writes = Field(200, description="The writes of one source in an hour. 0: no limit.")
    writes_an_hour_per_network: Writes = Field(
        2_000, description="The writes of one IPv6 /48 in an hour. 0: no limit."
    )
    live_texts: Texts = Field(1_000, description="The live texts of one source. 0: no limit.")
    live_bytes: Bytes = Field(
        67_108_864, description="The size of the live texts of one source. 0: no limit."
    )
    live_texts_per_network: Texts = Field(4_000, description="The live texts of an IPv6 /48. 0: no limit.")
    live_bytes_per_network: Bytes = Field(
        268_435_456, description="The size of the live texts of one IPv6 /48. 0: no limit."
    )
    live_bytes_in_all: Bytes = Field(
        10_737_418_240, description="The size of all live texts together. 0: no limit."
    )
    disk_reserve: Bytes = Field(
        67_108_864,
        description="The space that stays free on the disk of the SQLite file: below it writes are refused,"
        " so that texts can still be wiped. 0: none.",
    )
    disk_reserve_percent: Annotated[int, Field(ge=0, le=99), Unit("percent")] = Field(
        1, description="The same as a share of that disk. The larger of the two holds. 0: none."
    )
    loads_a_minute: Loads = Field(120, description="The loads of one source in a minute. 0: no limit.")
    loads_a_minute_per_network: Loads = Field(
        1_200, description="The loads of one IPv6 /48 in a minute. 0: no limit."
    )
    misses_a_minute: Misses = Field(10, description="The misses of one source in a minute. 0: no limit.")
    misses_an_hour: Misses = Field(60, description="The misses of one source in an hour. 0: no limit.")
    misses_a_day: Misses = Field(200, description="The misses of one source in a day. 0: no limit.")
    misses_a_day_per_network: Misses = Field(
        1_000, description="The misses of one IPv6 /48 in a day. 0: no limit."
    )
    misses_a_day_in_all: Misses = Field(
        20_000, description="The misses of all sources together in a day. 0: no limit."
    )
    live_requests_a_minute: Requests = Field(
        600, description="The requests of one source in live transfers in a minute. 0: no limit."
    )
    live_requests_a_minute_per_network: Requests = Field(
        6_000, description="The same of one IPv6 /48. 0: no limit."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least important messages that are logged."
    )
    log_format: Literal["text", "json"] = Field("text", description="The lines of the log: text or JSON.")

    @field_validator("old_secret_keys", "trusted_proxies", "metrics_allowed", mode="before")
    @classmethod
    def _split_at_commas(cls, raw: object) -> object:
        return [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw

    @field_validator("data_dir")
    @classmethod
    def _resolve_data_dir(cls, given: Path) -> Path:
        return BASE / given

    @field_validator("*", mode="before")
    @classmethod
    def _require_unicode(cls, given: object, info: ValidationInfo) -> object:
        # The name of a directory may be any bytes.
        if isinstance(given, str) and info.field_name != "data_dir":
            try:
                given.encode()
            except UnicodeEncodeError:
                # Otherwise the service would start and fail as soon as it shows the value.
                raise ValueError("must be in UTF-8") from None
        return given

    @model_validator(mode="after")
    def _check_order_of_lifetimes(self) -> Self:
        lifetimes = (
            self.min_expires_in,
            self.default_expires_in,
            self.max_expires_in,
            self.max_expires_in_sealed,
        )
        if list(lifetimes) != sorted(lifetimes):
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
        """The longest body in which the longest text can come; the Apache site has the same number."""
        return self.max_text_bytes * _JSON_PER_BYTE + _OTHER_FIELDS

    @property
    def counters_url(self) -> str:
        """The URL of the storage of the rate limits."""
        return self.rate_limit_storage or f"shared://{self.data_dir.resolve() / 'counts'}"

    @property
    def uses_redis(self) -> bool:
        """Whether rate limits and receipts are stored in Redis."""
        return self.counters_url.startswith("redis")


def variable_names(field: str) -> tuple[str, ...]:
    """The environment variables of a setting, by its name in ``Settings``; the present name first."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(name) for name in alias.choices)
    return (f"{PREFIX}{field.upper()}",)
