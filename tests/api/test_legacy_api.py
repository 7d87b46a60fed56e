"""The legacy API: what extension 1.x sends and understands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import ALL_DATABASES, Clock

DATABASES = ALL_DATABASES

JSON = "application/json; charset=utf-8"  # As extension 1.x sends it.


def save(client: FlaskClient, text: str, password: str = "", life: str = "10min") -> TestResponse:
    body = {"wrtext": text, "wrpassword": password, "wrdelete_at": life}
    return client.post("/write/", json=body, content_type=JSON)


def load(client: FlaskClient, code: str, password: str = "") -> TestResponse:
    return client.post("/load/", json={"ldcode": code, "ldpassword": password}, content_type=JSON)


def test_save_and_load(client: FlaskClient) -> None:
    saved = save(client, "한국어 text")
    assert saved.status_code == 200
    code = saved.json["message"]
    assert saved.json == {"status": "success", "message": code}
    assert len(code) == 4
    loaded = load(client, code)
    assert (loaded.status_code, loaded.json) == (200, {"status": "success", "message": "한국어 text"})


@pytest.mark.parametrize(("life", "seconds"), [("10min", 600), ("1h", 3_600), ("3h", 10_800)])
def test_its_three_lives(client: FlaskClient, clock: Clock, life: str, seconds: int) -> None:
    code = save(client, "x", life=life).json["message"]
    clock.tick(seconds - 1)
    assert load(client, code).json["status"] == "success"
    clock.tick(1)
    assert load(client, code).json == {"status": "error", "message": "not exist"}


def test_a_password(client: FlaskClient) -> None:
    code = save(client, "secret", "right").json["message"]
    for wrong in ("", "wrong"):
        missed = load(client, code, wrong)
        assert (missed.status_code, missed.json) == (200, {"status": "error", "message": "not exist"})
    assert load(client, code, "right").json["message"] == "secret"


def test_both_wires_open_the_same_texts(client: FlaskClient) -> None:
    old = save(client, "from 1.x", "pw").json["message"]
    assert client.post("/api/v1/load", json={"code": old, "password": "pw"}).json["text"] == "from 1.x"
    new = client.post("/api/v1/write", json={"text": "from v1"}).json["code"]
    assert load(client, new).json["message"] == "from v1"


def test_unknown_codes_do_not_exist(client: FlaskClient) -> None:
    assert load(client, "qqqq").json == {"status": "error", "message": "not exist"}


@pytest.mark.parametrize("life", ["2h", "", None, 600])
def test_another_life_is_refused_by_name(client: FlaskClient, life: object) -> None:
    body = {"wrtext": "x", "wrpassword": "", "wrdelete_at": life}
    refused = client.post("/write/", json=body)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/wrdelete_at"


def test_an_empty_text_is_refused(client: FlaskClient) -> None:
    assert save(client, "").status_code == 422


@pytest.mark.parametrize("code", ["abc", "12a4", "", "wUrpx", "\u0410\u0412\u0421\u0415"])
def test_a_code_that_is_none_does_not_exist_either(client: FlaskClient, code: str) -> None:
    """Extension 1.x says "Server error" for any other status than 200."""
    answer = load(client, code)
    assert (answer.status_code, answer.json) == (200, {"status": "error", "message": "not exist"})


def test_a_code_that_is_none_costs_nothing(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=1).test_client()
    code = save(client, "x").json["message"]
    for _ in range(5):
        load(client, "abc")
    assert load(client, code).json == {"status": "success", "message": "x"}


def test_a_refused_load_says_for_how_long(make_app: Callable[..., Flask]) -> None:
    client = make_app(misses_a_minute=2).test_client()
    for _ in range(2):
        assert load(client, "qqqq").json["message"] == "not exist"
    refused = load(client, "qqqq")
    assert refused.status_code == 200
    assert refused.json == {"status": "error", "message": "Too many tries. Try again in 60 seconds."}


def test_no_message_is_shown_as_the_code_of_a_text(make_app: Callable[..., Flask]) -> None:
    """Extension 1.x takes the message of any 200 after a save for the code."""
    client = make_app(writes_a_minute=1).test_client()
    assert save(client, "x").status_code == 200
    refused = save(client, "x")
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")


def test_fields_that_it_does_not_have_are_ignored(client: FlaskClient) -> None:
    body = {"wrtext": "x", "wrpassword": "", "wrdelete_at": "10min", "csrf": "1"}
    assert client.post("/write/", json=body).status_code == 200


@pytest.mark.parametrize("path", ["/write", "/load"])
def test_its_last_slash_does_not_matter(client: FlaskClient, path: str) -> None:
    code = save(client, "x").json["message"]
    body = {"wrtext": "x", "wrdelete_at": "10min"} if path == "/write" else {"ldcode": code}
    for asked in (path, f"{path}/"):
        answer = client.post(asked, json=body, content_type=JSON)
        assert (answer.status_code, answer.json["status"]) == (200, "success")


def test_a_flood_of_fields_is_refused(client: FlaskClient) -> None:
    unknown = {f"k{number}": number for number in range(30)}
    body = {"wrtext": "x", "wrdelete_at": "10min", **unknown}
    assert client.post("/write/", json=body).status_code == 200
    refused = client.post("/write/", json={**unknown, "k30": 1, "k31": 1, **body})
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"pointer": "", "detail": "must have at most 32 fields"}]
