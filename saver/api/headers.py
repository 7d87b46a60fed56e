"""The headers of every response, and CORS for the extension; every request is counted on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from flask.globals import request_ctx
from flask_cors import cross_origin

from saver.api.routes import Endpoints
from saver.ops.request_counts import RequestCounts

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

# Anchored at both ends: flask-cors matches from the start only.
EXTENSION_ORIGINS = [
    r"^chrome-extension://[a-p]{32}$",
    r"^moz-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
]
_CSP = "default-src 'none'; frame-ancestors 'none'"
_DENIED_FEATURES = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope"
    " magnetometer microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock"
    " serial usb xr-spatial-tracking"
)
_PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{feature}=()" for feature in _DENIED_FEATURES.split()),
        "clipboard-read=(self)",
        "clipboard-write=(self)",
    ]
)
# Added unless a response has its own.
_DEFAULTS = [("Cache-Control", "no-store"), ("Content-Security-Policy", _CSP)]
_OWN_VALUES = frozenset(name for name, _ in _DEFAULTS)
_SECURITY = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    # It does not apply to CORS requests, such as those of the extension.
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_DOCUMENT = [
    # A page that opened this one could otherwise navigate it from code to code.
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", _PERMISSIONS_POLICY),
]
_ALL = [*_DEFAULTS, *_SECURITY, *_DOCUMENT]
_CORS_PATHS = re.compile("/(api/v1/.*|write/?|load/?)")


@cross_origin(
    origins=EXTENSION_ORIGINS,
    methods=["GET", "POST"],
    allow_headers=["Content-Type", "Idempotency-Key"],
    # Date is the service's clock, by which a client knows how long a text still lives.
    expose_headers=["Date", "Retry-After"],
    max_age=600,
    always_send=False,
    automatic_options=False,
)
def _add_cors(response: Response) -> Response:
    return response


def register(app: Flask, requests: RequestCounts) -> None:
    """Add the headers to every response of the app, and count its requests."""
    app.after_request(_add_cors_for_origin)
    app.wsgi_app = ResponseMiddleware(  # type: ignore[assignment,method-assign]
        app.wsgi_app, requests, Endpoints(app.url_map)
    )


def _add_cors_for_origin(response: Response) -> Response:
    # Only browsers send an origin, and flask-cors takes as long as a tenth of a load.
    request = request_ctx.request
    if "HTTP_ORIGIN" in request.environ and _CORS_PATHS.fullmatch(request.path):
        response = _add_cors(response)
    return response


class HeaderMiddleware:
    """A WSGI app that adds the headers to each response of ``app``, all in one step."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, wsgi_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
            return start_response(status, _complete(wsgi_environ, status, headers), exc_info)

        return self._app(wsgi_environ, start)


class ResponseMiddleware:
    """The same, which also counts each request under its endpoint. One middleware is faster than two."""

    def __init__(self, app: WSGIApplication, requests: RequestCounts, endpoints: Endpoints) -> None:
        self._app = app
        self._count = requests.count
        self._endpoints = endpoints

    def __call__(self, wsgi_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        code, started = "500", monotonic_ns()

        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal code
            code = status[:3]
            return start_response(status, _complete(wsgi_environ, status, headers), exc_info)

        try:
            return self._app(wsgi_environ, start)
        finally:
            self._count(self._endpoints[wsgi_environ["PATH_INFO"]], code, started)


def _complete(wsgi_environ: WSGIEnvironment, status: str, headers: Headers) -> Headers:
    is_preflight = wsgi_environ["REQUEST_METHOD"] == "OPTIONS" and status.startswith("200")
    if is_preflight or status.startswith("204"):
        headers = [header for header in headers if header[0] != "Content-Type"]
    return headers + _missing(headers)


def _missing(headers: Headers) -> Headers:
    found = {name: value for name, value in headers if name in _OWN_VALUES}
    if not found:
        return _ALL
    added = [header for header in _DEFAULTS if header[0] not in found]
    # A file of the page is no document, and there are so many of them that these would be a fifth of a visit.
    is_document = "immutable" not in found.get("Cache-Control", "")
    return [*added, *_SECURITY, *(_DOCUMENT if is_document else ())]
