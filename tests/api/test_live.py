"""Live transfers: every message, in its order and out of it; docs/live-transfer.md."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count, product

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver.app import Services
from tests.conftest import ALL_DATABASES, Clock
from tests.support.live import LiveClient, meet, pair
from tests.support.snapshot import Database, execute, query

NOTHING = {"share": None, "tag": None, "code": None}
REFUSED = (
    b'{"type": "urn:saver:problem:no-meeting", "title": "No such meeting.", "status": 404,'
    b' "detail": "There is no live transfer that the request fits."}'
)
EXPIRES_AT = "2027-01-15T08:10:00Z"
on_both = pytest.mark.databases(*ALL_DATABASES)


def stored(database: Database) -> list[tuple[object, ...]]:
    return query(database, "SELECT * FROM meeting ORDER BY number")


@on_both
def test_a_transfer_from_the_maker(client: FlaskClient) -> None:
    maker, joiner = pair(client)
    opened = maker.post("open", token=maker.token, role="sender")
    assert (opened.status_code, opened.json) == (201, {"number": 1, "expires_at": EXPIRES_AT})
    maker.number = 1
    assert maker.poll().json == {"state": "waiting", **NOTHING}
    assert maker.offer().json == {"tries_left": 3}
    assert joiner.join(1).json == {
        "role": "receiver",
        "session": maker.session,
        "share": maker.share,
        "tries_left": 3,
        "expires_at": EXPIRES_AT,
    }
    assert maker.poll().json == {"state": "waiting", **NOTHING}
    answered = joiner.answer()
    assert (answered.status_code, answered.data) == (204, b"")
    assert maker.poll().json == {"state": "answered", "share": joiner.share, "tag": joiner.tag, "code": None}
    assert joiner.poll().json == {"state": "answered", **NOTHING}
    assert maker.confirm().status_code == 204
    assert maker.poll().json == {"state": "confirmed", **NOTHING}
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": None}
    assert maker.send("deliver", code="wUrp").status_code == 204
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": "wUrp"}
    assert maker.poll().json == {"state": "confirmed", **NOTHING}
    assert joiner.send("close").status_code == 204
    assert [one.poll().data for one in (maker, joiner)] == [REFUSED, REFUSED]


def test_a_transfer_to_the_maker(client: FlaskClient) -> None:
    maker, joiner = pair(client)
    meet(maker, joiner, "receiver")
    assert LiveClient(client, 9).join(1).data == REFUSED
    assert maker.send("deliver", code="wUrp").data == REFUSED
    assert joiner.send("deliver", code="wUrp").status_code == 204
    assert maker.poll().json == {"state": "confirmed", "share": None, "tag": None, "code": "wUrp"}
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": None}


class Scene:
    """A maker, a joiner and a stranger, at one state of a meeting."""

    def __init__(self, client: FlaskClient, seed: int, state: str) -> None:
        self.maker, self.joiner = pair(client, seed)
        self.stranger = LiveClient(client, 100_000 + seed)
        self.maker.open("sender")
        getattr(self, state)()
        session = self.maker.session or self.maker.draw(16)
        for one in (self.maker, self.joiner, self.stranger):
            one.number, one.session = self.maker.number, session

    def opened(self) -> None:
        pass

    def offered(self) -> None:
        assert self.maker.offer().status_code == 200
        self.joiner.join(self.maker.number)

    def answered(self) -> None:
        self.offered()
        assert self.joiner.answer().status_code == 204

    def confirmed(self) -> None:
        self.answered()
        assert self.maker.confirm().status_code == 204

    def delivered(self) -> None:
        self.confirmed()
        assert self.maker.send("deliver", code="wUrp").status_code == 204

    def closed(self) -> None:
        self.delivered()
        assert self.maker.send("close").status_code == 204

    def without_tries(self) -> None:
        for status in (200, 200, 404):
            self.answered()
            assert self.maker.offer().status_code == status


MESSAGES: dict[str, Callable[[LiveClient], dict[str, object]]] = {
    "offer": lambda one: {"session": one.draw(16), "share": one.draw(32)},
    "join": lambda _: {},
    "answer": lambda one: {"session": one.session, "share": one.draw(32), "tag": one.draw(64)},
    "poll": lambda _: {},
    "confirm": lambda one: {"session": one.session, "tag": one.draw(64)},
    "deliver": lambda _: {"code": "aaaa"},
    "close": lambda _: {},
}
ANYBODY = ("maker", "joiner", "stranger")
# What fits in which state; nothing else does.
FITS = {
    "opened": {("maker", "offer"), ("maker", "poll"), ("maker", "close")},
    "offered": {
        *(("maker", message) for message in ("offer", "poll", "close")),
        *((who, "join") for who in ANYBODY),
        ("joiner", "answer"),
        ("stranger", "answer"),
    },
    "answered": {
        *(("maker", message) for message in ("offer", "poll", "confirm", "close")),
        ("joiner", "poll"),
    },
    "confirmed": {
        *(("maker", message) for message in ("poll", "deliver", "close")),
        *(("joiner", message) for message in ("poll", "close")),
    },
    "delivered": {(who, message) for who in ("maker", "joiner") for message in ("poll", "close")},
    "closed": set(),
    "without_tries": set(),
}


@pytest.mark.parametrize("state", FITS)
def test_only_what_fits_is_taken_and_the_rest_changes_nothing(
    client: FlaskClient, database: Database, clock: Clock, state: str
) -> None:
    for seed, who, message in zip(count(1), *zip(*product(ANYBODY, MESSAGES), strict=True), strict=False):
        scene = Scene(client, seed, state)
        sender: LiveClient = getattr(scene, who)
        before = stored(database)
        body = {"number": sender.number, **MESSAGES[message](sender)}
        if message != "join":
            body["token"] = sender.token
        answer = sender.post(message, **body)
        if (who, message) in FITS[state]:
            assert answer.status_code in (200, 204), (who, message)
        else:
            assert (answer.status_code, answer.data) == (404, REFUSED), (who, message)
            assert answer.content_type == "application/problem+json"
            assert stored(database) == before, (who, message)
        clock.tick(1)


def test_a_session_that_was_replaced_is_refused(client: FlaskClient, database: Database) -> None:
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    joiner.join(1)
    old = maker.session
    assert maker.offer().json == {"tries_left": 3}
    before = stored(database)
    assert joiner.answer().data == REFUSED
    assert stored(database) == before
    joiner.join(1)
    assert joiner.answer().status_code == 204
    assert maker.send("confirm", session=old, tag=maker.draw(64)).data == REFUSED
    assert maker.confirm().status_code == 204


def test_three_wrong_answers_end_a_meeting(client: FlaskClient, clock: Clock) -> None:
    maker, joiner = pair(client)
    maker.open()
    for tries_left in (3, 2, 1):
        # Offers without an answer cost nothing.
        assert [maker.offer().json for _ in range(3)] == [{"tries_left": tries_left}] * 3
        assert joiner.join(1).json["tries_left"] == tries_left
        assert joiner.answer().status_code == 204
    assert maker.poll().json["state"] == "answered"
    assert maker.offer().data == REFUSED
    assert joiner.join(1).data == REFUSED
    assert maker.offer().data == REFUSED
    clock.tick(599)
    other = LiveClient(client, 7)
    assert other.open() == 2


def test_a_wrong_answer_is_gone_with_the_next_offer(client: FlaskClient) -> None:
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    joiner.join(1)
    joiner.answer()
    assert maker.offer().json == {"tries_left": 2}
    assert maker.poll().json == {"state": "waiting", **NOTHING}
    assert joiner.poll().data == REFUSED
    assert joiner.join(1).json["session"] == maker.session
    assert joiner.answer().status_code == 204
    assert maker.confirm().status_code == 204
    assert joiner.poll().json["tag"] == maker.tag


def test_a_second_answer_is_refused_and_the_first_stays(client: FlaskClient, database: Database) -> None:
    maker, joiner = pair(client)
    second = LiveClient(client, 8)
    maker.open()
    maker.offer()
    joiner.join(1)
    second.join(1)
    joiner.answer()
    before = stored(database)
    assert second.answer().data == REFUSED
    assert joiner.answer().data == REFUSED, "another answer of the same joiner"
    assert stored(database) == before
    assert second.poll().data == REFUSED


@on_both
def test_a_message_whose_response_was_lost_can_be_sent_again(client: FlaskClient, database: Database) -> None:
    maker, joiner = pair(client)
    opened = [maker.post("open", token=maker.token, role="sender").json for _ in range(2)]
    assert opened == [{"number": 1, "expires_at": EXPIRES_AT}] * 2
    assert maker.post("open", token=maker.token, role="receiver").data == REFUSED
    maker.number = 1
    maker.offer()
    joiner.join(1)
    joiner.answer()
    offer = {"session": maker.session, "share": maker.share}
    answer = {"session": joiner.session, "share": joiner.share, "tag": joiner.tag}
    before = stored(database)
    # The answer came after the first of these offers, which says nothing about it.
    assert maker.send("offer", **offer).json == {"tries_left": 3}
    assert joiner.send("answer", **answer).status_code == 204
    assert stored(database) == before
    maker.confirm()
    assert maker.send("confirm", session=maker.session, tag=maker.tag).status_code == 204
    assert maker.send("confirm", session=maker.session, tag=maker.draw(64)).data == REFUSED
    assert joiner.send("answer", **answer).status_code == 204
    assert [maker.send("deliver", code="wUrp").status_code for _ in range(2)] == [204, 204]
    assert maker.send("deliver", code="aaaa").data == REFUSED
    assert joiner.poll().json == {"state": "confirmed", "share": None, "tag": maker.tag, "code": "wUrp"}
    maker.send("close")
    assert maker.post("open", token=maker.token, role="sender").data == REFUSED


def test_a_token_opens_its_own_meeting_only(client: FlaskClient, database: Database) -> None:
    maker, joiner = pair(client)
    meet(maker, joiner)
    other = LiveClient(client, 9)
    assert other.open() == 2
    before = stored(database)
    other.number = 1
    assert other.poll().data == other.offer().data == other.send("close").data == REFUSED
    maker.number = 9_999
    assert maker.poll().data == maker.send("close").data == REFUSED
    assert stored(database) == before


def test_a_number_is_the_smallest_that_is_free_ten_minutes_after_open(
    client: FlaskClient, clock: Clock
) -> None:
    first, second, third = (LiveClient(client, seed) for seed in (1, 2, 3))
    assert first.open() == 1
    clock.tick(100)
    assert [second.open(), third.open()] == [2, 3]
    second.send("close")
    clock.tick(499)
    assert LiveClient(client, 4).open() == 4
    clock.tick(1)
    assert [LiveClient(client, seed).open() for seed in (5, 6)] == [1, 5]
    clock.tick(100)
    assert [LiveClient(client, seed).open() for seed in (7, 8, 9)] == [2, 3, 6]


def test_without_a_free_number_open_is_a_503(client: FlaskClient, database: Database, clock: Clock) -> None:
    rows = [(n, n.to_bytes(32, "big"), int(clock.now) + 10) for n in range(1, 10_000)]
    columns = "number, maker_hash, expires_at, role, tries_left, ended"
    execute(database, f"INSERT INTO meeting ({columns}) VALUES (?, ?, ?, 'sender', 3, false)", rows)
    maker = LiveClient(client, 1)
    refused = maker.post("open", token=maker.token, role="sender")
    assert (refused.status_code, refused.json["type"]) == (503, "urn:saver:problem:no-number")
    assert refused.headers["Retry-After"] == "60"
    assert len(stored(database)) == 9_999
    clock.tick(10)
    assert maker.open() == 1


@on_both
def test_a_meeting_is_over_at_its_second_without_a_sweep(
    client: FlaskClient, database: Database, clock: Clock, services: Services
) -> None:
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    clock.tick(599.9)
    assert joiner.join(1).status_code == 200
    assert joiner.answer().status_code == 204
    assert services.store.sweep(100).wiped == 0
    before = stored(database)
    assert len(before) == 1
    clock.tick(0.1)
    assert maker.poll().data == joiner.poll().data == joiner.join(1).data == REFUSED
    assert maker.confirm().data == maker.offer().data == maker.send("close").data == REFUSED
    assert stored(database) == before
    services.store.sweep(100)
    assert stored(database) == []


def test_nothing_is_kept_of_a_meeting_that_has_ended_but_its_number(
    client: FlaskClient, database: Database
) -> None:
    maker, joiner = pair(client)
    meet(maker, joiner)
    maker.send("deliver", code="wUrp")
    maker.send("close")
    [row] = query(database, "SELECT session, share, joiner_hash, answer_share, answer_tag FROM meeting")
    assert row == (None,) * 5
    assert query(database, "SELECT confirm_tag, code, ended FROM meeting") == [(None, None, 1)]


def test_a_restart_of_the_service_changes_nothing(make_app: Callable[..., Flask]) -> None:
    maker, joiner = pair(make_app().test_client())
    maker.open()
    maker.offer()
    joiner.join(1)
    for one in (maker, joiner):
        one.use(make_app().test_client())
    joiner.answer()
    assert maker.poll().json["tag"] == joiner.tag


SHAPES: dict[str, tuple[list[object], int | None]] = {
    "number": ([0, 10_000, -1, 1.5, "1", True, None], None),
    "token": (["", "A" * 21, "A" * 23, "A" * 21 + "B", "+" * 22, 7, None, "é" * 22], 16),
    "session": (["", "A" * 43, "A" * 21 + "B", None], 16),
    "share": (["A" * 22, "A" * 42 + "B", "A" * 86, None], 32),
    "tag": (["A" * 43, "A" * 85 + "B", "A" * 88, None], 64),
}


@pytest.mark.parametrize("field", SHAPES)
def test_a_wrong_shape_is_a_422_that_names_the_field(
    client: FlaskClient, database: Database, field: str
) -> None:
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    joiner.join(1)
    right = {
        "number": 1,
        "token": joiner.token,
        "session": joiner.session,
        "share": joiner.draw(32),
        "tag": joiner.draw(64),
    }
    values, size = SHAPES[field]
    before = stored(database)
    for value in values:
        refused = joiner.post("answer", **{**right, field: value})
        assert refused.status_code == 422, value
        [error] = refused.json["errors"]
        assert error["pointer"] == f"/{field}"
        rules = {"must be a string", f"must be {size} bytes in base64url without padding"}
        assert size is None or error["detail"] in rules
        assert refused.json.keys() == {"type", "title", "status", "errors"}
    del right[field]
    assert joiner.post("answer", **right).json["errors"] == [
        {"pointer": f"/{field}", "detail": "is required"}
    ]
    assert stored(database) == before


def test_other_fields_and_roles_are_refused(client: FlaskClient) -> None:
    maker = LiveClient(client, 1)
    assert maker.post("open", token=maker.token, role="other").json["errors"][0]["pointer"] == "/role"
    unknown = maker.post("join", number=1, letters="wUrp")
    assert unknown.json["errors"] == [{"pointer": "/letters", "detail": "is not a field of this request"}]
    assert "wUrp" not in unknown.text
    assert maker.post("deliver", number=1, token=maker.token, code="abc").status_code == 422
    assert client.get("/api/v1/live/poll").status_code == 405
    assert client.post("/api/v1/live/poll", data="1", content_type="text/plain").status_code == 415


def test_the_limits_say_that_there_are_live_transfers(client: FlaskClient) -> None:
    assert client.get("/api/v1/limits").json["live"] == {"expires_in": 600, "tries": 3}


def test_the_routes_have_the_headers_of_the_others(client: FlaskClient) -> None:
    origin = {"Origin": "chrome-extension://" + "a" * 32}
    refused = client.post("/api/v1/live/join", json={"number": 1}, headers=origin)
    written = client.post("/api/v1/load", json={"code": "qqqq"}, headers=origin)
    assert refused.data == REFUSED
    same = {name: value for name, value in written.headers.items() if name != "Content-Length"}
    assert {name: value for name, value in refused.headers.items() if name != "Content-Length"} == same
    asked = client.options("/api/v1/live/poll", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert asked.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    page = client.post("/api/v1/live/join", json={"number": 1}, headers={"Origin": "https://example.org"})
    assert "Access-Control-Allow-Origin" not in page.headers


def test_no_secret_is_logged_or_stored(
    make_app: Callable[..., Flask], database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    maker, joiner = pair(make_app(log_level="DEBUG").test_client())
    meet(maker, joiner)
    maker.send("deliver", code="wUrp")
    maker.send("confirm", session=joiner.draw(16), tag=maker.tag)
    for secret in (maker.token, joiner.token, maker.session, maker.share, maker.tag, joiner.tag, "wUrp"):
        assert secret not in caplog.text
    values = [value for row in stored(database) for value in row]
    assert not {maker.raw_token, joiner.raw_token} & set(values)
