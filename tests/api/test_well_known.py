"""``/robots.txt`` and ``/.well-known/security.txt``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.robotparser import RobotFileParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Clock

SECURITY = "/.well-known/security.txt"


def test_the_page_may_be_indexed_and_the_api_not(client: FlaskClient) -> None:
    answer = client.get("/robots.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    robots = RobotFileParser()
    robots.parse(answer.text.splitlines())
    for path, may in {"/": True, "/static/1/web/page.js": True, "/api/v1/openapi.json": False}.items():
        assert robots.can_fetch("any robot", f"https://saver.example{path}") == may


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("abuse@saver.example", "mailto:abuse@saver.example"),
        ("a+b@saver.example", "mailto:a+b@saver.example"),
        ("관리자@saver.example", "mailto:%EA%B4%80%EB%A6%AC%EC%9E%90@saver.example"),
        ("https://saver.example/abuse?from=page#form", "https://saver.example/abuse?from=page#form"),
    ],
)
def test_the_contact_is_there_for_the_next_thirty_days(
    make_app: Callable[..., Flask], clock: Clock, contact: str, uri: str
) -> None:
    client = make_app(contact=contact).test_client()
    for _ in range(2):
        answer = client.get(SECURITY)
        assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
        lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
        assert set(lines) == {"Contact", "Expires"}
        assert lines["Contact"] == uri
        assert datetime.fromisoformat(lines["Expires"]).timestamp() == clock() + 30 * 86_400
        clock.tick(100 * 86_400)


@pytest.mark.parametrize(
    "contact",
    [
        *("", "abuse desk", "관리자", "abuse@saver.example or +82 2 000 000", "http://saver.example/"),
        *(
            "https://saver.example/a\nExpires: never",
            "a@saver.example\nContact: b@saver.example",
            "javascript:x",
        ),
    ],
)
def test_without_an_address_there_is_no_file(make_app: Callable[..., Flask], contact: str) -> None:
    answer = make_app(contact=contact).test_client().get(SECURITY)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
