"""API v1, as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import ALL_DATABASES, NOW, Clock

DATABASES = ALL_DATABASES
STATIC = "/static/0/web/page.css"


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_write_then_load(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "héllo 👋", "expires_in": 3_600})
    assert written.status_code == 201
    assert written.json.keys() == {"code", "expires_at", "owner_token"}
    assert written.json["expires_at"] == iso(NOW + 3_600)
    loaded = client.post("/api/v1/load", json={"code": written.json["code"]})
    assert loaded.status_code == 200
    assert loaded.json == {"text": "héllo 👋", "expires_at": iso(NOW + 3_600), "once": False, "sealed": False}


def test_the_default_lifetime_is_ten_minutes(client: FlaskClient) -> None:
    assert client.post("/api/v1/write", json={"text": "x"}).json["expires_at"] == iso(NOW + 600)


def test_a_text_is_not_there_from_its_last_second_on(client: FlaskClient, clock: Clock) -> None:
    code = client.post("/api/v1/write", json={"text": "x", "expires_in": 60}).json["code"]
    clock.tick(59)
    assert client.post("/api/v1/load", json={"code": code}).status_code == 200
    clock.tick(1)
    assert client.post("/api/v1/load", json={"code": code}).status_code == 404


def test_plain_text_for_command_lines(client: FlaskClient) -> None:
    text = "\ufeffline\r\nline\n".encode()
    written = client.post("/api/v1/write?expires_in=120", data=text, content_type="text/plain")
    assert written.status_code == 201
    assert written.mimetype == "text/plain"
    assert written.data.endswith(b"\n")
    code = written.text.strip()
    loaded = client.post("/api/v1/load", json={"code": code}, headers={"Accept": "text/plain"})
    assert (loaded.status_code, loaded.data) == (200, text)
    assert loaded.content_type == "text/plain; charset=utf-8"
    assert loaded.headers["Content-Disposition"].startswith("attachment")
    assert client.post("/api/v1/load", json={"code": code}).json["expires_at"] == iso(NOW + 120)


def test_a_code_as_plain_text_gives_the_text(client: FlaskClient) -> None:
    text = "\ufeffline\r\nline\n".encode()
    written = client.post("/api/v1/write", data=text, content_type="text/plain").data
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "text/plain"}):
        loaded = client.post("/api/v1/load", data=written, content_type="text/plain", headers=accept)
        assert (loaded.status_code, loaded.mimetype, loaded.data) == (200, "text/plain", text)
    asked = {"data": written, "content_type": "text/plain"}
    loaded = client.post("/api/v1/load", **asked, headers={"Accept": "application/json"})
    assert loaded.json["text"].encode() == text


def test_a_code_as_plain_text_is_held_to_the_same_rules(client: FlaskClient) -> None:
    def load(code: bytes, query: str = "") -> TestResponse:
        return client.post(f"/api/v1/load{query}", data=code, content_type="text/plain")

    missed = client.post("/api/v1/load", json={"code": "qqqq"})
    assert (load(b"qqqq").status_code, load(b"qqqq").data) == (404, missed.data)
    assert load(b"qqq").json["errors"] == [{"pointer": "/code", "detail": "must be four letters, a-z or A-Z"}]
    assert load(b"qqqq", "?password=x").status_code == 422
    assert load(b"qqqq" + b" " * 16_384).status_code == 413


def test_a_byte_order_mark_before_json_is_skipped(client: FlaskClient) -> None:
    body = b'\xef\xbb\xbf{"text": "x"}'
    assert client.post("/api/v1/write", data=body, content_type="application/json").status_code == 201


def test_an_answer_is_json_unless_plain_text_is_wanted_more(client: FlaskClient) -> None:
    code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
    for accept in ("*/*", "application/json", "text/html, */*;q=0.1", "application/json, text/plain;q=0.5"):
        loaded = client.post("/api/v1/load", json={"code": code}, headers={"Accept": accept})
        assert loaded.mimetype == "application/json", accept


def test_a_code_is_trimmed(client: FlaskClient) -> None:
    code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
    for given in (f" {code}\n", f"\ufeff{code}\u200b"):
        assert client.post("/api/v1/load", json={"code": given}).status_code == 200


def test_a_password_protects_and_allows_a_longer_life(client: FlaskClient) -> None:
    written = client.post(
        "/api/v1/write", json={"text": "secret", "password": "open sesame", "expires_in": 2_592_000}
    )
    assert written.status_code == 201
    code = written.json["code"]
    assert client.post("/api/v1/load", json={"code": code}).status_code == 404
    assert client.post("/api/v1/load", json={"code": code, "password": "sesame"}).status_code == 404
    opened = client.post("/api/v1/load", json={"code": code, "password": "open sesame"})
    assert opened.json["text"] == "secret"


def test_delete_is_idempotent_and_needs_the_token(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "x"}).json
    code, token = written["code"], written["owner_token"]
    assert client.post("/api/v1/delete", json={"code": code, "owner_token": "no"}).status_code == 404
    for _ in range(2):
        deleted = client.post("/api/v1/delete", json={"code": code, "owner_token": token})
        assert (deleted.status_code, deleted.data) == (204, b"")
    assert client.post("/api/v1/load", json={"code": code}).status_code == 404


def test_the_one_404_is_the_same_for_every_cause(client: FlaskClient, clock: Clock, codes: list[str]) -> None:
    """The answer is always the same bytes, except for the real salt of a sealed text."""

    def answer(code: str, **more: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        missed = client.post("/api/v1/load", json={"code": code, **more})
        return missed.status_code, missed.data, sorted(missed.headers)

    def without_salt(code: str, **more: str) -> tuple[int, str, list[tuple[str, str]]]:
        status, body, headers = answer(code, **more)
        document = json.loads(body)
        assert len(document["seal"].pop("salt")) == 22
        return status, json.dumps(document), headers

    free = {code: answer(code) for code in codes}
    open_ = client.post("/api/v1/write", json={"text": "x", "expires_in": 60}).json
    deleted = client.post("/api/v1/write", json={"text": "x"}).json
    client.post("/api/v1/delete", json={"code": deleted["code"], "owner_token": deleted["owner_token"]})
    sealed = client.post("/api/v1/write", json={"text": "x", "password": "right", "expires_in": 600}).json
    real = answer(sealed["code"])
    clock.tick(60)
    assert answer(deleted["code"]) == free[deleted["code"]]
    assert answer(open_["code"]) == free[open_["code"]]
    assert answer(sealed["code"]) == real == answer(sealed["code"], password="wrong")
    answers = {repr(without_salt(code)) for code in [*codes, "qqqq"]}
    answers |= {repr(without_salt(code, password="wrong")) for code in [*codes, "qqqq"]}
    assert len(answers) == 1
    clock.tick(600)
    assert answer(sealed["code"]) == free[sealed["code"]]


def test_delete_misses_with_the_same_404(client: FlaskClient) -> None:
    code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
    wrong = client.post("/api/v1/delete", json={"code": code, "owner_token": "no"})
    client_404 = client.post("/api/v1/delete", json={"code": "qqqq", "owner_token": "no"})
    assert wrong.json.keys() == client_404.json.keys()
    assert wrong.json["type"] == "urn:saver:problem:no-text"


def test_no_code_free_is_503_with_retry_after(client: FlaskClient, codes: list[str]) -> None:
    for _ in codes:
        assert client.post("/api/v1/write", json={"text": "x"}).status_code == 201
    refused = client.post("/api/v1/write", json={"text": "x"})
    assert refused.status_code == 503
    assert refused.json["type"] == "urn:saver:problem:pool-empty"
    assert int(refused.headers["Retry-After"]) > 0


def test_limits_have_what_a_client_shows(client: FlaskClient) -> None:
    assert client.get("/api/v1/limits").json == {
        "max_text_bytes": 1_048_576,
        "expires_in": {"min": 60, "default": 600, "max": 86_400, "max_sealed": 2_592_000},
        "code": {"length": 4, "alphabet": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        "contact": "",
        "cool_down": 86_400,
        "live": {"expires_in": 600, "tries": 3},
        "terms_url": "",
    }


@pytest.mark.parametrize(
    "path", ["/api/v1/limits", "/healthz", "/api/v1/openapi.json", "/nothing", "/api/v1/load"]
)
def test_every_answer_has_the_headers_that_keep_it_private(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/", STATIC, "/api/v1/limits", "/nothing", "/api/v1/load"])
def test_every_answer_has_the_headers_that_keep_other_sites_out(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    allowed = dict(part.split("=") for part in headers["Permissions-Policy"].split(", "))
    assert {name for name, who in allowed.items() if who != "()"} == {"clipboard-read", "clipboard-write"}
    assert {"camera", "microphone", "geolocation", "display-capture"} <= allowed.keys()


PATHS = ["/api/v1/write", "/api/v1/limits", "/api/v1/openapi.json", "/write", "/load", "/healthz", "/readyz"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", [*PATHS, "/", STATIC, "/static", "/nothing", "/api//v1/write"])
def test_nothing_redirects(client: FlaskClient, path: str, method: str) -> None:
    """A redirect would make the client send the text again, unencrypted, to any host in the request."""
    answers = [
        client.open(asked, method=method, headers={"Host": "evil.example"}) for asked in (path, f"{path}/")
    ]
    assert [answer.status_code // 100 == 3 or "Location" in answer.headers for answer in answers] == [
        False
    ] * 2
    if path in PATHS:
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].data == answers[1].data


def test_an_answer_without_a_body_has_no_content_type(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "x"}).json
    owned = {"code": written["code"], "owner_token": written["owner_token"]}
    assert "Content-Type" not in client.post("/api/v1/delete", json=owned).headers
    assert "Content-Type" not in client.options("/api/v1/write").headers


def test_health(client: FlaskClient, app: Flask) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    before = client.get("/readyz")
    assert (before.status_code, before.json["sweeper"], before.json["database"]) == (503, "failing", "ok")
    app.extensions["saver"].readiness.record_heartbeat()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (
        200,
        {"status": "ok", "database": "ok", "schema": "ok", "counts": "ok", "sweeper": "ok", "writes": "ok"},
    )


def test_readyz_notices_a_sweeper_that_is_gone(client: FlaskClient, app: Flask, clock: Clock) -> None:
    app.extensions["saver"].readiness.record_heartbeat()
    clock.tick(3_600)
    assert client.get("/readyz").json["sweeper"] == "failing"


def test_without_tables_the_answer_is_503(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    client = make_app("empty").test_client()
    for path, body in (("load", {"code": "wUrp"}), ("write", {"text": "x"})):
        assert client.post(f"/api/v1/{path}", json=body).status_code == 503


def test_readyz_notices_a_missing_schema(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = make_app("empty").test_client().get("/readyz")
    assert (answer.status_code, answer.json["schema"]) == (503, "failing")


EXTENSIONS = [
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://01234567-89ab-cdef-0123-456789abcdef",
]
STRANGERS = [
    "null",
    "https://evil.example",
    "https://evil.example/chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop.evil.example",
    "moz-extension://01234567-89ab-cdef-0123-456789abcdef.evil.example",
    "xmoz-extension://01234567-89ab-cdef-0123-456789abcdef",
]


@pytest.mark.parametrize(
    "path", ["/api/v1/write", "/api/v1/load", "/api/v1/load/", "/write/", "/load/", "/write", "/load"]
)
class TestCors:
    @pytest.mark.parametrize("origin", EXTENSIONS)
    def test_extensions_may_ask(self, client: FlaskClient, path: str, origin: str) -> None:
        preflight = client.options(
            path,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type, idempotency-key",
            },
        )
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in preflight.headers
        answer = client.post(path, json={}, headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        # Otherwise a wrong clock of the computer would decide what has expired.
        assert "Date" in answer.headers["Access-Control-Expose-Headers"]

    @pytest.mark.parametrize("origin", STRANGERS)
    def test_nobody_else_may(self, client: FlaskClient, path: str, origin: str) -> None:
        for answer in (
            client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
            client.post(path, json={}, headers={"Origin": origin}),
        ):
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_cors_where_there_is_nothing_to_ask(client: FlaskClient) -> None:
    for path in ("/healthz", "/nothing", "/readyz"):
        assert (
            "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": EXTENSIONS[0]}).headers
        )


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load"])
def test_a_web_page_cannot_ask_in_plain_text_through_its_visitors(
    client: FlaskClient, path: str, header: dict[str, str]
) -> None:
    answer = client.post(path, data="spam", content_type="text/plain", headers=header)
    assert answer.status_code == 415
