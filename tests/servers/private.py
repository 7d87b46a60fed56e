"""Requests with a code and a marker in every possible place: neither may be in a log."""

from __future__ import annotations

from tests.servers.client import Client, receive, request
from tests.servers.names import WWW

MARK = "CANARY"


def broken(code: str) -> list[bytes]:
    """Requests that break a rule of HTTP, with a code and a marker in every possible place."""
    marks = f"{MARK}{code}"
    head = {"Host": WWW, "Connection": "close"}
    post = {**head, "Content-Type": "text/plain"}
    return [
        f"GET /{marks}\xff\xfe HTTP/1.1\r\nHost: {WWW}\r\nConnection: close\r\n\r\n".encode("latin-1"),
        f"GET /{marks} {marks} HTTP/1.1\r\nHost: {WWW}\r\n\r\n".encode(),
        f"GET / HTTP/{marks}\r\nHost: {WWW}\r\n\r\n".encode(),
        request("GET", "/", {**head, f"{MARK} {code}": "a"}),
        request("GET", "/", {**head, f"{MARK}\x01{code}": "a"}),
        request("GET", "/", {**head, f"{MARK}_{code}": "a"}),
        request("GET", "/healthz", {**head, "Expect": marks}),
        request("GET", "/healthz", {**head, "Range": f"bytes={marks}", "If-Match": marks, "Upgrade": marks}),
        request("POST", "/api/v1/write", {**post, "Transfer-Encoding": marks}),
        request("POST", "/api/v1/write", {**post, "Content-Length": marks}),
        request("POST", "/api/v1/write", {**post, "Content-Encoding": marks, "Content-Length": "0"}),
        request("POST", "/api/v1/write", {**post, "Transfer-Encoding": "chunked"}) + f"{marks}\r\n".encode(),
    ]


def longer_than_said(https: Client, code: str) -> None:
    """On a persistent connection the rest of a body is read as the next request."""
    head = {"Host": WWW, "Content-Type": "text/plain", "Content-Length": "3"}
    with https.connect() as connection:
        connection.sendall(
            request("POST", "/api/v1/write", head) + f"abc{MARK} secret {code}\r\n\r\n".encode()
        )
        assert receive(connection, "POST").status == 201
        assert MARK.encode() not in receive(connection).body
