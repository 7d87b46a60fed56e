"""Helpers that more than one file of this folder uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Request

from tests.support.browser import LOCALES, Visit
from tests.support.server import ROOT, Server

MESSAGES = {
    language: json.loads((ROOT / "extension" / "ui" / f"{language}.json").read_text("utf-8"))
    for language in LOCALES
}
EN = MESSAGES["en"]


def put_text(visitor: Visit, text: str) -> None:
    """Fill in a large text without typing it, which would take minutes."""
    visitor.part("text").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }", text
    )


def save_by_api(server: Server, text: str) -> str:
    """Save a text without a browser; its code."""
    _, written = server.post("/api/v1/write", {"text": text})
    return str(written["code"])


@contextmanager
def sent_by(visitor: Visit) -> Iterator[list[Request]]:
    """The requests with a body, as they are sent."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request)

    visitor.page.on("request", note)
    yield sent
    visitor.page.remove_listener("request", note)


def body_of(request: Request) -> dict[str, object]:
    """The JSON body of a request."""
    body: dict[str, object] = json.loads(request.post_data or "{}")
    return body
