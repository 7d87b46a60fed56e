"""The socket that the service listens on. The standard library only: scripts/serve has nothing else yet."""

from __future__ import annotations

import errno
import socket


def bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet: until it does, callers are refused at once.

    Raises SystemExit with the reason.
    """
    if not host:
        raise SystemExit("saver: SAVER_HOST: the address must not be empty")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise SystemExit(f"saver: {_bind_error(host, port, error)}") from None
    return bound


def url(host: str, bound: socket.socket) -> str:
    """The address as a browser takes it, with the port that was really taken."""
    return f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"


def _bind_error(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop what listens there, or choose another one with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is only for root; choose one above 1023 with --port"
    return f"cannot listen on {host}, port {port}: {error.strerror}"
