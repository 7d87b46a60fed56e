"""A sealed text takes two requests to open: what they cost, and that guessing does not become cheaper."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver import seal
from saver.seal import Keys, Seal
from saver.store import TextStore
from tests.api.test_metrics import figures
from tests.api.test_rate_limits import ADDRESS, clock, load, make_app, redis  # noqa: F401 - fixtures
from tests.conftest import Clock
from tests.support.texts import save

KEYS = Keys(bytes(32), bytes(32))
SEALED = seal.encrypt("sealed", Seal(bytes(16)), KEYS, bytes(12))
RIGHT, WRONG = seal.encode(KEYS.proof), seal.encode(bytes([1] * 32))
OTHER = "192.0.2.99"


def write_sealed(client: FlaskClient) -> str:
    body = {"text": SEALED, "proof": RIGHT, "expires_in": 3_600}
    return str(client.post("/api/v1/write", json=body).json["code"])


def prove(client: FlaskClient, code: str, proof: str = RIGHT, address: str = ADDRESS) -> int:
    body = {"code": code, "proof": proof}
    return client.post("/api/v1/load", json=body, environ_overrides={"REMOTE_ADDR": address}).status_code


def open_sealed(client: FlaskClient, code: str, address: str = ADDRESS) -> tuple[int, int]:
    """As the page and the extension do."""
    return load(client, code, address).status_code, prove(client, code, address=address)


def misses_left(client: FlaskClient, address: str = ADDRESS) -> int:
    for number in range(50):
        if load(client, address=address).status_code != 404:
            return number
    return 50


def test_opening_sealed_texts_costs_nothing(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(misses_a_minute=10, misses_an_hour=60, misses_a_day_in_all=100).test_client()
    code = write_sealed(client)
    assert [open_sealed(client, code) for _ in range(12)] == [(404, 200)] * 12
    seen = figures(client)
    assert (seen["saver_misses_today"], seen["saver_expected_stranger_hits_per_day"]) == (0, 0)
    assert misses_left(client) == 10


def test_all_repeated_questions_are_refunded(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=10).test_client()
    code = write_sealed(client)
    assert [load(client, code).status_code for _ in range(3)] == [404] * 3
    assert prove(client, code) == 200
    assert misses_left(client) == 10


def test_on_the_wire_of_extension_1x_too(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    app = make_app(misses_a_minute=1)
    store: TextStore = app.extensions["saver"].store
    code, client = save(store, "x", 600, "right").code, app.test_client()
    for word, message in (("", "not exist"), ("right", "x"), ("", "not exist"), ("right", "x")):
        answer = client.post("/load/", json={"ldcode": code, "ldpassword": word})
        assert answer.json["message"] == message


def test_while_everybodys_misses_are_spent_a_sealed_text_opens_at_the_first_right_password(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=10, misses_a_day_in_all=3).test_client()
    code = write_sealed(client)
    assert [load(client, address=f"192.0.2.{n}").status_code for n in range(3)] == [404] * 3
    assert [open_sealed(client, code, OTHER) for _ in range(3)] == [(404, 200)] * 3
    assert misses_left(client, OTHER) == 1
    # A source that missed in this hour has no miss left.
    assert open_sealed(client, code, OTHER) == (429, 429)
    assert [load(client, code).status_code, prove(client, code, WRONG), prove(client, code)] == [
        404,
        404,
        429,
    ]


def test_a_source_that_has_spent_its_misses_may_still_answer_its_own_question(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=2).test_client()
    code = write_sealed(client)
    assert [load(client, code).status_code, load(client).status_code] == [404, 404]
    assert prove(client, code, address=OTHER) == 200
    assert prove(client, code) == 200
    assert misses_left(client) == 1
    assert prove(client, code) == 429


def test_a_wrong_password_after_a_question_is_one_miss_and_not_two(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=2, misses_a_day_in_all=100).test_client()
    code = write_sealed(client)
    assert [load(client, code).status_code, prove(client, code, WRONG)] == [404, 404]
    assert figures(client)["saver_misses_today"] == 1
    assert [load(client, code).status_code, prove(client, code, WRONG)] == [404, 404]
    assert [prove(client, code, WRONG), prove(client, code)] == [429, 429]
    assert figures(client)["saver_misses_today"] == 2


def test_what_a_question_has_paid_for_opens_no_text_that_came_later(
    make_app: Callable[..., Flask],  # noqa: F811
    codes: list[str],
) -> None:
    """Otherwise one miss would pay for two look-ups of an open text."""
    client = make_app().test_client()
    limited = make_app(misses_a_minute=10).test_client()
    assert [load(limited, code).status_code for code in codes] == [404] * len(codes)
    for once in (False, True):
        code = client.post("/api/v1/write", json={"text": "x", "once": once}).json["code"]
        assert [prove(limited, code), load(limited, code).status_code] == [404, 200]


def test_a_window_that_began_after_the_question_is_not_renewed(
    make_app: Callable[..., Flask],  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=3, misses_an_hour=4).test_client()
    code = write_sealed(client)
    assert load(client, code).status_code == 404
    clock.tick(61)
    assert misses_left(client) == 3
    assert prove(client, code) == 200
    assert misses_left(client) == 0
    # The hour began with the question, which was one of the four misses.
    clock.tick(60)
    assert misses_left(client) == 1


def test_an_answer_that_comes_too_late_is_a_look_up_of_its_own(
    make_app: Callable[..., Flask],  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    client = make_app(misses_an_hour=1).test_client()
    code = write_sealed(client)
    assert load(client, code).status_code == 404
    clock.tick(601)
    assert prove(client, code) == 429


def test_who_could_not_be_answered_may_come_again(
    make_app: Callable[..., Flask],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = make_app(misses_a_minute=1)
    client, store = app.test_client(), app.extensions["saver"].store
    code = write_sealed(client)
    assert load(client, code).status_code == 404
    with suppress(RuntimeError), monkeypatch.context() as patch:
        patch.setattr(store, "load", lambda *_, **__: (_ for _ in ()).throw(RuntimeError))
        assert prove(client, code) == 500
    assert prove(client, code) == 200


def test_a_caller_is_counted_before_its_body_is_read(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(loads_a_minute=3, misses_a_minute=9).test_client()
    broken = {"data": b"{" * 1_000, "content_type": "application/json"}
    paths = [f"/api/v1/{name}" for name in ("load", "ack", "status", "extend", "delete")] + ["/load/"]
    assert [client.post(path, **broken).status_code for path in paths] == [400] * 6
    assert [client.post("/api/v1/load", json={"code": "abc"}).status_code for _ in range(5)] == [422] * 5
    assert [client.post("/api/v1/load", json={"code": "qqqq"}).status_code for _ in range(3)] == [404] * 3
    # The legacy API says so with a 200, which extension 1.x shows.
    assert [client.post(path, **broken).status_code for path in paths] == [429] * 5 + [200]
