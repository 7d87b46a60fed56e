"""The form of an error answer, of the service and of the web server in front of it."""

from __future__ import annotations

import json
from pathlib import Path

from werkzeug.exceptions import default_exceptions

from saver import create_app
from saver.api.problems import MEDIA_TYPE, Problem
from tests.conftest import settings_in
from tests.servers.client import Answer
from tests.servers.names import WWW
from tests.support.server import ROOT

HEADERS = {
    "content-type": MEDIA_TYPE,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
HSTS = {"strict-transport-security": "max-age=63072000"}
HEAD = {"Host": WWW, "Connection": "close"}
POST = {**HEAD, "Content-Type": "application/json"}
# Paths that are neither answered nor redirected without TLS.
ENCRYPTED_ONLY = ("/write", "/write/", "/load/", "/api/v1/write", "/api/v1/load/", "/api/v1/limits")
CHALLENGE = "/.well-known/acme-challenge/token"


def check(answer: Answer, status: int, more: dict[str, str]) -> None:
    """The answer is the problem that belongs to the status, with every header."""
    assert answer.status == status
    assert answer.document == expected(status)
    wanted = {**HEADERS, **more}
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert not {"last-modified", "etag", "accept-ranges"} & set(answer.headers)


def expected(status: int) -> dict[str, object]:
    """What the service would answer."""
    name = default_exceptions[status]().name
    return Problem(status, f"http-{status}", f"{name}.").document


def by_the_service(answer: Answer, status: int) -> None:
    """The answer is a problem of the service, with HSTS of the web server."""
    assert (answer.status, answer.document["status"]) == (status, status)
    wanted = {**HEADERS, **HSTS}
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def sent_by_all(answer: Answer, folder: Path) -> None:
    """The answer has the headers of one of the service's own problems."""
    sent = create_app(settings_in(folder)).test_client().get("/nothing").headers
    wanted = {name.lower(): value for name, value in sent if name != "Content-Length"}
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def told_to_say_https(answer: Answer) -> None:
    """The answer is the matching problem, and not a redirect."""
    assert (answer.status, answer.headers["content-type"]) == (403, MEDIA_TYPE)
    assert answer.document == json.loads((ROOT / "apache" / "errors" / "plain" / "403.json").read_text())
    assert "location" not in answer.headers
