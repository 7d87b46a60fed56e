"""What the shared tests know of each web server: its client, its logs, and its differences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.servers.client import Client
from tests.servers.pki import Authority

# The networks that may name another address in X-Test-Address, so that any address can be tested.
IMPERSONATOR = "127.0.0.99"
# The misses a minute of each source.
MISSES = 5


class WebServer(Protocol):
    """A running web server with the service behind it."""

    root: Path
    http: int
    https: int
    client: Client
    authority: Authority

    # Invalid requests that it answers itself, by their fault, with the status.
    errors: Mapping[str, tuple[bytes, int]]
    # A line of its access log.
    log_line: re.Pattern[str]
    # Whether a redirect leads from "//path" to "/path".
    joins_slashes: bool
    # Statuses of the operator's routes for the operator, however they are written.
    operator_statuses: frozenset[int]
    # A refused method and its status: the log must not contain the method.
    refused_method: tuple[str, str]
    # Whether the operator's routes allow only one loopback address.
    operator_is_one_address: bool
    # An invalid request that it answers with a problem of its own.
    own_error: bytes
    # The elliptic curves that it accepts.
    curves: frozenset[str]
    # The status for chunks that are no chunks.
    broken_chunks_status: int
    # The problem for a body that has neither a length nor chunks.
    no_length: tuple[int, str]
    # Whether the service refuses a body whose Content-Length is too long.
    passes_long_bodies: bool
    # Whether words that are not TLS, and paths that are none, are answered with a problem.
    answers_what_is_no_http: bool

    @property
    def cut_off_status(self) -> int | None:
        """The status for a body that ends too early; None if the connection is just closed."""

    def said(self) -> str:
        """All logs of it and of the service."""
