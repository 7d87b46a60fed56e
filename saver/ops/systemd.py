"""Tell systemd that a service is up and goes on: sd_notify, without its library.

See sd_notify(3). Where no service manager listens, nothing is told.
"""

from __future__ import annotations

import socket
from contextlib import suppress

_MICROSECONDS = 1_000_000


class Manager:
    """The service manager behind a datagram socket; ``address`` is what it put into NOTIFY_SOCKET."""

    def __init__(self, address: str | None) -> None:
        # An abstract socket is written with @ and begins with a zero byte.
        self._address = address.replace("@", "\0", 1) if address and address.startswith("@") else address

    def ready(self, patience: int) -> None:
        """The service is up; it is hanging if ``alive`` does not come for ``patience`` seconds."""
        self._tell(f"READY=1\nWATCHDOG_USEC={patience * _MICROSECONDS}")

    def alive(self) -> None:
        """The service has just done a piece of its work."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service ends because it was told to."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # Whoever watches is of no use to what is watched: never fails.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)
