"""The WSGI environment (PEP 3333) of a request that has arrived whole."""

from __future__ import annotations

import os
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gunicorn.asgi.parser import PythonProtocol
from gunicorn.http.wsgi import base_environ
from gunicorn.util import split_request_uri, unquote_to_wsgi_str

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# The name of a unix socket is bytes if it is in Linux's abstract namespace.
Address = tuple[str, int] | str | bytes


def process_environ(config: Any) -> WSGIEnvironment:
    """What is the same for all requests of a process."""
    return {
        **base_environ(config),
        "wsgi.multithread": True,
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
    }


def connection_environ(client: Address, server: Address) -> WSGIEnvironment:
    """What is the same for all requests of a connection. A peer on a unix socket has a name at most."""
    host, port = server[:2] if isinstance(server, tuple) else (os.fsdecode(server), "")
    wsgi_environ = {"SERVER_NAME": host, "SERVER_PORT": str(port)}
    if not isinstance(client, tuple):
        return {**wsgi_environ, "REMOTE_ADDR": os.fsdecode(client)}
    return {**wsgi_environ, "REMOTE_ADDR": client[0], "REMOTE_PORT": str(client[1])}


def request_environ(parser: PythonProtocol, body: bytearray) -> WSGIEnvironment:
    """What a parser has read. Raises ValueError for a broken target."""
    uri = parser.path.decode("ascii")
    target = split_request_uri(uri)
    wsgi_environ = {
        "REQUEST_METHOD": parser.method.decode("ascii"),
        "RAW_URI": uri,
        "PATH_INFO": unquote_to_wsgi_str(target.path),
        "QUERY_STRING": target.query,
        "SERVER_PROTOCOL": "HTTP/1.1" if parser.http_version == (1, 1) else "HTTP/1.0",
        "wsgi.input": BytesIO(body),
    }
    for name, value in parser.headers:
        variable = _variable(name)
        text = value.decode("latin-1")
        if variable in wsgi_environ:
            wsgi_environ[variable] += f",{text}"
        elif variable:
            wsgi_environ[variable] = text
    if parser.is_chunked:
        wsgi_environ["CONTENT_LENGTH"] = str(len(body))
    return wsgi_environ


@lru_cache(maxsize=128)
def _variable(name: bytes) -> str:
    """The variable of a header; empty if the app does not get it."""
    # A name with an underscore would become the same variable as one with a hyphen.
    # The parser has removed the transfer coding.
    if b"_" in name or name == b"transfer-encoding":
        return ""
    variable = name.decode("ascii").upper().replace("-", "_")
    return variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"
