"""The headers of every response, and CORS for the extension."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, request
from flask_cors import CORS

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
_SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    # It does not apply to CORS requests, such as those of the extension.
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_DOCUMENT_HEADERS = (
    # A page that opened this one could otherwise navigate it from code to code.
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", _PERMISSIONS_POLICY),
)


def register(app: Flask) -> None:
    """Add the headers to every response of the app."""
    app.after_request(_add_headers)
    CORS(
        app,
        resources={r"^/(api/v1/.*|write/?|load/?)$": {}},
        origins=EXTENSION_ORIGINS,
        methods=["GET", "POST"],
        allow_headers=["Content-Type", "Idempotency-Key"],
        # Date is the service's clock, by which a client knows how long a text still lives.
        expose_headers=["Date", "Retry-After"],
        max_age=600,
        always_send=False,
        # An error has a response like any other before the headers are added.
        intercept_exceptions=False,
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", _CSP)
    # A file of the page is no document, and there are so many of them that these would be a fifth of a visit.
    added = () if response.cache_control.immutable else _DOCUMENT_HEADERS
    for name, value in (*_SECURITY_HEADERS, *added):
        headers.add(name, value)
    is_preflight = request.method == "OPTIONS" and response.status_code == HTTPStatus.OK
    if is_preflight or response.status_code == HTTPStatus.NO_CONTENT:
        headers.pop("Content-Type", None)
    return response
