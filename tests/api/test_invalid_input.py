"""Invalid input: the answer names the field and the rule, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver.app import Services
from tests.conftest import ALL_DATABASES
from tests.support.snapshot import Database, out_of_reach, query

DATABASES = ALL_DATABASES

JSON = "application/json"
MARK = "CANARY"

NOT_JSON = {
    "empty": b"",
    "not JSON": b"CANARY",
    "half": b'{"text": "CANARY',
    "bad UTF-8": b'{"text": "CANARY\xff"}',
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"text": "CANARY"}',
    "UTF-16": '{"text": "CANARY"}'.encode("utf-16"),
    "UTF-16 without its mark": '{"text": "CANARY"}'.encode("utf-16-be"),
    "NaN": b'{"text": "CANARY", "expires_in": NaN_CANARY}',
    "Infinity": b'{"text": "CANARY", "expires_in": Infinity}',
    "number for a name": b'{1: "CANARY"}',
    "comma at the end": b'{"text": "CANARY",}',
    "no comma": b'{"text": "CANARY" "expires_in": 60}',
    "no colon": b'{"text" "CANARY"}',
    "no end": b'{"text": "CANARY"',
    "control character": b'{"text": "CANARY\n"}',
    "half a string": b'"CANARY',
    "single quotes": b"{'text': 'CANARY'}",
    "two documents": b'{"text": "CANARY"} {"text": "CANARY"}',
}

AGAINST_A_RULE = {
    "array": (b'["CANARY"]', ""),
    "string": (b'"CANARY"', ""),
    "null": (b"null", ""),
    "no text": (b'{"expires_in": 60}', "/text"),
    "empty text": (b'{"text": ""}', "/text"),
    "null text": (b'{"text": null}', "/text"),
    "number for a text": (b'{"text": 12345}', "/text"),
    "list for a text": (b'{"text": ["CANARY"]}', "/text"),
    "NUL": (b'{"text": "CANARY\\u0000"}', "/text"),
    "lone surrogate": (b'{"text": "CANARY\\ud800"}', "/text"),
    "lone low surrogate": (b'{"text": "CANARY\\udc00x"}', "/text"),
    "lone surrogate in a password": (b'{"text": "x", "password": "CANARY\\ud800"}', "/password"),
    "empty password": (b'{"text": "CANARY", "password": ""}', "/password"),
    "endless password": (b'{"text": "CANARY", "password": "' + b"p" * 1_025 + b'"}', "/password"),
    "expiry of 0": (b'{"text": "CANARY", "expires_in": 0}', "/expires_in"),
    "expiry of -1": (b'{"text": "CANARY", "expires_in": -1}', "/expires_in"),
    "expiry of 59": (b'{"text": "CANARY", "expires_in": 59}', "/expires_in"),
    "expiry of 1e400": (b'{"text": "CANARY", "expires_in": 1e400}', "/expires_in"),
    "expiry of 5,000 digits": (b'{"text": "CANARY", "expires_in": ' + b"9" * 5_000 + b"}", "/expires_in"),
    "expiry of 1h": (b'{"text": "CANARY", "expires_in": "1h"}', "/expires_in"),
    "expiry of 600 as a string": (b'{"text": "CANARY", "expires_in": "600"}', "/expires_in"),
    "expiry of a year": (b'{"text": "CANARY", "expires_in": 31536000}', "/expires_in"),
    "a month without a password": (b'{"text": "CANARY", "expires_in": 2592000}', "/expires_in"),
    "31 days with a password": (
        b'{"text": "CANARY", "expires_in": 2678400, "password": "CANARY"}',
        "/expires_in",
    ),
    "expiry of true": (b'{"text": "CANARY", "expires_in": true}', "/expires_in"),
    "expiry of 600.5": (b'{"text": "CANARY", "expires_in": 600.5}', "/expires_in"),
    "unknown field": (b'{"text": "CANARY", "burn": true}', "/burn"),
    "field of another route": (b'{"text": "CANARY", "code": "aaaa"}', "/code"),
    "field twice": (b'{"text": "CANARY", "text": "x"}', "/text"),
    "field twice, once escaped": (b'{"text": "CANARY", "te\\u0078t": "CANARY"}', "/text"),
    "object for a text": (b'{"text": {"CANARY": 1}}', "/text"),
    "100,000 brackets": (b"[" * 100_000, ""),
    "100,000 objects": (b'{"text":' * 100_000, "/text"),
}

BAD_CODES = [
    "wUr",
    "wUrpx",
    "",
    "   ",
    "wUr1",
    "1234",
    "w\u0421rp",
    "\u0410\u0412\u0421\u0415",
    "w Ur p",
    "wU\u200brp",
    "wUr\u0000",
    "wUrp\u200bx",
    "ßßßß",
    "w%55rp",
]


def check(answer: TestResponse, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"].startswith("urn:saver:problem:")
    assert MARK not in answer.text
    assert MARK not in str(answer.headers)


def rows(database: Database) -> tuple[object, ...]:
    [found] = query(database, "SELECT (SELECT count(*) FROM code), (SELECT count(*) FROM text)")
    return found


def length_of(body: bytes) -> dict[str, str]:
    """Send Content-Length for an empty body too; the test client leaves it out."""
    return {"CONTENT_LENGTH": str(len(body))}


@pytest.fixture(autouse=True)
def _nothing_changes(database: Database, codes: list[str]) -> Iterator[None]:
    yield
    assert rows(database) == (len(codes), 0)


@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load", "/api/v1/delete", "/write/", "/load/"])
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_400(client: FlaskClient, path: str, body: bytes) -> None:
    check(client.post(path, data=body, content_type=JSON, environ_overrides=length_of(body)), 400)


@pytest.mark.parametrize(("body", "pointer"), AGAINST_A_RULE.values(), ids=AGAINST_A_RULE.keys())
def test_what_is_against_a_rule_is_422_and_named(client: FlaskClient, body: bytes, pointer: str) -> None:
    answer = client.post("/api/v1/write", data=body, content_type=JSON)
    check(answer, 422)
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert all(error["detail"] for error in answer.json["errors"])


@pytest.mark.parametrize("code", BAD_CODES)
@pytest.mark.parametrize("path", ["/api/v1/load", "/api/v1/delete"])
def test_what_is_no_code_is_422(client: FlaskClient, path: str, code: str) -> None:
    more = {"owner_token": "x"} if path.endswith("delete") else {}
    answer = client.post(path, data=json.dumps({"code": code, **more}), content_type=JSON)
    check(answer, 422)
    assert answer.json["errors"] == [{"pointer": "/code", "detail": "must be four letters, a-z or A-Z"}]


def test_all_errors_of_a_body_are_named_together(client: FlaskClient) -> None:
    answer = client.post("/api/v1/write", json={"text": 1, "expires_in": "x", "password": 2})
    assert {error["pointer"] for error in answer.json["errors"]} == {"/text", "/expires_in", "/password"}


def test_a_name_that_may_be_a_secret_is_not_repeated(client: FlaskClient) -> None:
    answer = client.post("/api/v1/write", json={"text": "x", "CANARY-9": 1, "wUrp": 2})
    check(answer, 422)
    assert "wUrp" not in answer.text


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load", "/api/v1/delete", "/write/", "/load/"])
def test_other_media_types_are_415(client: FlaskClient, path: str, kind: str | None) -> None:
    check(client.post(path, data=b"CANARY=1", content_type=kind), 415)


@pytest.mark.parametrize("path", ["/api/v1/delete", "/api/v1/status", "/write/", "/load/"])
def test_plain_text_is_only_for_writing_and_loading(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data="aaaa", content_type="text/plain")
    check(answer, 415)
    assert answer.headers["Accept-Post"] == JSON


@pytest.mark.parametrize(("path", "what"), [("/api/v1/write", "text"), ("/api/v1/load", "code")])
def test_the_other_media_type_that_would_do_is_said(client: FlaskClient, path: str, what: str) -> None:
    answer = client.post(path, data=b"CANARY", content_type="application/x-www-form-urlencoded")
    check(answer, 415)
    rule = f"Content-Type must be application/json, or text/plain if the body is the {what} itself."
    assert answer.json["detail"] == rule
    assert answer.headers["Accept-Post"] == "application/json, text/plain"


@pytest.mark.parametrize("kind", [JSON, "text/plain"])
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load"])
def test_an_encoded_body_is_415(client: FlaskClient, path: str, kind: str) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = client.post(path, data=b"CANARY", content_type=kind, headers=headers)
    check(answer, 415)
    assert "Content-Encoding" in answer.json["detail"]
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("kind", [JSON, "text/plain"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(client: FlaskClient, kind: str, encoding: str) -> None:
    answer = client.post("/api/v1/write", data='{"text": "CANARY"}'.encode(encoding), content_type=kind)
    check(answer, 400)
    assert answer.json["detail"] == "It looks like UTF-16; save it as UTF-8."


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-16", "text/plain; charset=CANARY"])
def test_plain_text_is_utf_8(client: FlaskClient, kind: str) -> None:
    check(client.post("/api/v1/write", data=b"CANARY", content_type=kind), 415)
    check(client.post("/api/v1/write", data=b"CANARY\xff", content_type="text/plain"), 400)


@pytest.mark.parametrize(
    "query", ["expires_in=1h", "expires_in=", "expires_in=0", "expires_in=9e9", "expires_in=59"]
)
def test_the_life_of_a_plain_text_is_checked_too(client: FlaskClient, query: str) -> None:
    answer = client.post(f"/api/v1/write?{query}", data="CANARY", content_type="text/plain")
    check(answer, 422)
    assert answer.json["errors"][0]["pointer"] == "/expires_in"


@pytest.mark.parametrize("query", ["password=CANARY", "text=x", "expires_in=60&code=aaaa"])
def test_nothing_else_is_taken_from_the_query(client: FlaskClient, query: str) -> None:
    check(client.post(f"/api/v1/write?{query}", data="CANARY", content_type="text/plain"), 422)


@pytest.mark.parametrize("query", ["?code=aaaa", "?password=CANARY", "?expires_in=600"])
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load", "/load/"])
def test_json_takes_nothing_from_the_url(client: FlaskClient, path: str, query: str) -> None:
    check(client.post(path + query, json={"text": "CANARY"}), 422)


@pytest.mark.parametrize("text", [b"", b"CANARY\0"])
def test_plain_texts_are_held_to_the_same_rules(client: FlaskClient, text: bytes) -> None:
    environ = length_of(text)
    answer = client.post("/api/v1/write", data=text, content_type="text/plain", environ_overrides=environ)
    check(answer, 422)
    assert answer.json["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize("kind", [JSON, "text/plain"])
@pytest.mark.parametrize("environ", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"wsgi.input_terminated": True}])
def test_a_body_without_a_known_end_is_411(
    client: FlaskClient, kind: str, environ: dict[str, object]
) -> None:
    given = {"wsgi.input": BytesIO(b'{"text": "CANARY"}'), **environ}
    answer = client.post("/api/v1/write", content_type=kind, environ_overrides=given)
    check(answer, 411)


@pytest.mark.parametrize(
    "text",
    ["x" * 1_048_577, "é" * 524_289, "x" * 8_000_000],
    ids=["a byte too many", "bytes, not letters", "far too many"],
)
@pytest.mark.parametrize("kind", [JSON, "text/plain"])
def test_too_large_is_413(client: FlaskClient, text: str, kind: str) -> None:
    body = json.dumps({"text": text}, ensure_ascii=False).encode() if kind == JSON else text.encode()
    check(client.post("/api/v1/write", data=body, content_type=kind), 413)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD"])
@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/load", "/api/v1/delete", "/write/", "/load/"])
def test_another_method_is_405_with_allow(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.content_type == "application/problem+json"
    if method != "HEAD":
        assert answer.json["detail"] == "Use POST."


@pytest.mark.parametrize(
    "path", ["/wUrp", "/api/v1/CANARY", "/api/v1/load/wUrp", "/%00", "/..%2f..%2fetc/passwd", "/web"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_path_is_a_problem_too(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    check(answer, 404)
    assert answer.json["detail"] == "The API is described at /api/v1/openapi.json."


def test_a_fault_of_ours_says_nothing_and_logs_no_message(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setattr(services.store, "load", fail)
    check(client.post("/api/v1/load", json={"code": "aaaa"}), 500)
    assert MARK not in caplog.text
    assert "RuntimeError" in caplog.text


def test_a_database_that_is_away_is_503(client: FlaskClient, services: Services, database: Database) -> None:
    services.store.database.engine.dispose()
    with out_of_reach(database):
        for path, body in (("/api/v1/load", {"code": "aaaa"}), ("/api/v1/write", {"text": "CANARY"})):
            answer = client.post(path, json=body)
            check(answer, 503)
            assert answer.headers["Retry-After"]
        services.store.database.engine.dispose()
