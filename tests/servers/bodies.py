"""Chunked bodies and incomplete bodies."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

from saver.api.problems import MEDIA_TYPE
from saver.settings import Settings
from tests.servers.client import Answer, Client, receive, request
from tests.servers.problems import POST

LONGEST = Settings(_env_file=None).max_body_bytes
PLAIN = {**POST, "Content-Type": "text/plain"}
CHUNKED = {**PLAIN, "Transfer-Encoding": "chunked"}
CUT_OFF = (
    ({**PLAIN, "Content-Length": "100"}, b"b" * 50),
    ({**PLAIN, "Content-Length": "100000"}, b"b" * 70_000),
    (CHUNKED, b"5\r\nhello\r\n"),
)


def taken_in_chunks(https: Client, broken: int) -> None:
    """A body in two chunks is stored; one that is too long or has broken chunks is refused (``broken``)."""
    text = "\ufeffa" + "b" * 70_000
    body = text.encode()
    written = https.send(request("POST", "/api/v1/write", CHUNKED) + in_chunks(body[:9], body[9:]))
    assert written.status == 201, written
    code = written.body.decode().strip()
    assert https.post("/api/v1/load", {"code": code}).document["text"] == text
    for raw, status in (
        (in_chunks(*[b"a" * 65_536] * (LONGEST // 65_536 + 1)), 413),
        (b"5\r\nhello\r\nCANARY\r\n", broken),
    ):
        answer = https.send(request("POST", "/api/v1/write", CHUNKED) + raw)
        assert answer.status == status
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert b"CANARY" not in answer.body


def in_chunks(*parts: bytes) -> bytes:
    """A body as chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def cut_off(https: Client, head: dict[str, str], sent: bytes) -> Answer | None:
    """The status for a body that ends too early; None if the connection is just closed."""
    with https.connect() as connection:
        connection.sendall(request("POST", "/api/v1/write", head) + sent)
        socket.socket.shutdown(connection, socket.SHUT_WR)
        try:
            return receive(connection, "POST")
        except ConnectionError:
            return None


def texts(root: Path) -> int:
    """How many texts are stored."""
    with closing(sqlite3.connect(root / "data" / "saver.db")) as database:
        count: int = database.execute("SELECT count(*) FROM text").fetchone()[0]
        return count
