"""Notify systemd that a service is ready and still works: sd_notify(3), without its library.

Without a service manager nothing is sent.
"""

from __future__ import annotations

import socket
from contextlib import suppress

_MICROSECONDS = 1_000_000


class SystemdNotifier:
    """Sends messages to the service manager's datagram socket; ``address`` is the value of NOTIFY_SOCKET."""

    def __init__(self, address: str | None) -> None:
        # An abstract socket is written with @ and begins with a zero byte.
        self._address = address.replace("@", "\0", 1) if address and address.startswith("@") else address

    def ready(self, timeout: int) -> None:
        """The service is ready; it hangs if ``keep_alive`` is not called for ``timeout`` seconds."""
        self._send(f"READY=1\nWATCHDOG_USEC={timeout * _MICROSECONDS}")

    def keep_alive(self) -> None:
        """The service has just finished a piece of work: the watchdog's timeout begins again."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The service ends because a signal asked for it."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # Never fails: the service must work without its service manager.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)
