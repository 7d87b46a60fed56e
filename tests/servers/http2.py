"""HTTP/2 as far as the tests need it: one request by curl, and requests whose bodies do not come."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.servers.client import Client
from tests.servers.names import WWW
from tests.servers.tls import context

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _SETTINGS, _PING = 1, 4, 6
_END_HEADERS, _ACK = 4, 1
_MARK = b"the mark"
_POST, _HTTPS = b"\x83", b"\x87"


def ask(port: int, authority: Path, path: str) -> tuple[str, int]:
    """The protocol and the status of the answer to a GET."""
    curl = shutil.which("curl")
    if not curl:
        pytest.fail("there is no curl: sudo apt-get install -y --no-install-recommends curl")
    place = ["--cacert", str(authority), "--resolve", f"{WWW}:{port}:127.0.0.1"]
    form = ["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]
    asked = subprocess.run(
        [curl, "--silent", "--show-error", "--http2", *place, *form, f"https://{WWW}:{port}{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    version, status = asked.stdout.split()
    return version, int(status)


def answers_to_half_bodies(client: Client, number: int) -> bytes:
    """Start so many writes of unknown length on one connection; what is answered before a ping comes back."""
    head = _POST + _HTTPS + _literal(4, "/api/v1/write") + _literal(1, WWW)
    streams = [_frame(_HEADERS, _END_HEADERS, 2 * index + 1, head) for index in range(number)]
    offer = context(client, ssl.TLSVersion.TLSv1_3)
    offer.set_alpn_protocols(["h2"])
    received = b""
    with client.connect(context=offer) as connection:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + b"".join(streams))
        connection.sendall(_frame(_PING, 0, 0, _MARK))
        while _frame(_PING, _ACK, 0, _MARK) not in received:
            piece = connection.recv(65_536)
            assert piece, "the connection was closed"
            received += piece
    return received


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _literal(name: int, value: str) -> bytes:
    """A header whose name has a number in HPACK's table; neither indexed nor compressed."""
    return bytes([name, len(value)]) + value.encode()
