"""What the contract of the web servers knows of each: its client, its logs and where it differs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.servers.client import Client
from tests.servers.pki import Authority

# Who may say, in X-Test-Address, that they are somebody else: to see what becomes of any address.
IMPERSONATOR = "127.0.0.99"
# How often each source may miss in a minute.
MISSES = 5


class WebServer(Protocol):
    """A running web server with the service behind it."""

    root: Path
    http: int
    https: int
    client: Client
    authority: Authority

    # Requests that it answers itself, by what is wrong with them, each with the status.
    errors: Mapping[str, tuple[bytes, int]]
    # A line of its access log.
    log_line: re.Pattern[str]
    # Whether a redirect leads from "//path" to "/path".
    joins_slashes: bool
    # Statuses of the operator's routes for the operator, however they are written.
    operator_statuses: frozenset[int]
    # A method that is refused, with the status: the log names neither method.
    refused_method: tuple[str, str]
    # Whether the operator's routes are for one address of the loopback only.
    operator_is_one_address: bool

    @property
    def cut_off_status(self) -> int | None:
        """What a client is told whose body ends before its end; None where nothing is told."""

    def said(self) -> str:
        """All that it and the service have written into logs."""
