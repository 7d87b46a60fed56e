"""The types of the settings: their bounds and units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr


@dataclass(frozen=True)
class Unit:
    """What a number counts."""

    name: str


Seconds = Annotated[int, Field(ge=1), Unit("seconds")]
Writes = Annotated[int, Field(ge=0), Unit("writes")]
Loads = Annotated[int, Field(ge=0), Unit("loads")]
Misses = Annotated[int, Field(ge=0), Unit("misses")]
Texts = Annotated[int, Field(ge=0), Unit("texts")]
Bytes = Annotated[int, Field(ge=0), Unit("bytes")]
Port = Annotated[int, Field(ge=0, le=65_535)]
Secret = Annotated[SecretStr, Field(min_length=32)]
Network = IPvAnyNetwork
Proxy = Literal["unix"] | Network
