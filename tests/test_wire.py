"""The old wire: what extension 1.x sends and understands."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.conftest import BOTH, Clock

KINDS = BOTH

JSON = "application/json; charset=utf-8"  # as extension 1.x sends it


def save(client: FlaskClient, text: str, password: str = "", life: str = "10min"):
    body = {"wrtext": text, "wrpassword": password, "wrdelete_at": life}
    return client.post("/write/", json=body, content_type=JSON)


def load(client: FlaskClient, code: str, password: str = ""):
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
