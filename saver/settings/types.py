"""The types of the settings: their bounds and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr

_STORAGES = ("redis", "rediss", "redis+unix", "shared")


@dataclass(frozen=True)
class Unit:
    """What a number counts."""

    name: str


def _names_a_storage(given: str) -> str:
    # No part of it is repeated: where it is broken, its password may stand in any of them.
    try:
        parts = urlsplit(given)
        known = not given or (parts.scheme in _STORAGES and parts.port != 0)
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"must be a URL that begins with one of {', '.join(_STORAGES)}")
    return given


Seconds = Annotated[int, Field(ge=1), Unit("seconds")]
Writes = Annotated[int, Field(ge=0), Unit("writes")]
Loads = Annotated[int, Field(ge=0), Unit("loads")]
Misses = Annotated[int, Field(ge=0), Unit("misses")]
Requests = Annotated[int, Field(ge=0), Unit("requests")]
Texts = Annotated[int, Field(ge=0), Unit("texts")]
Bytes = Annotated[int, Field(ge=0), Unit("bytes")]
Port = Annotated[int, Field(ge=0, le=65_535)]
Secret = Annotated[SecretStr, Field(min_length=32)]
# Of characters that need no quotes in a shell; with a slash at the end.
PublicUrl = Annotated[
    str, Field(pattern=r"^(https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/([A-Za-z0-9._~-]+/)*)?$")
]
StorageUrl = Annotated[str, AfterValidator(_names_a_storage)]
Network = IPvAnyNetwork
Proxy = Literal["unix"] | Network
