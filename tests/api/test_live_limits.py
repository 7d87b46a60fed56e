"""What the messages of a live transfer are charged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.api.test_metrics import figures
from tests.api.test_rate_limits import clock, make_app, redis  # noqa: F401 - fixtures
from tests.conftest import Clock
from tests.support.live import JOINER, LiveClient, meet, pair


def misses_left(one: LiveClient) -> int:
    """How many numbers without a meeting a source can still join."""
    statuses = [one.post("join", number=9_999).status_code for _ in range(30)]
    assert set(statuses) <= {404, 429}
    return statuses.count(404)


def test_an_honest_transfer_costs_no_miss(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(misses_a_minute=3, misses_an_hour=5, misses_a_day_in_all=100).test_client()
    for number in range(8):
        maker, joiner = pair(client, number)
        meet(maker, joiner)
        assert [joiner.poll().json["state"] for _ in range(3)] == ["confirmed"] * 3
        maker.send("close")
    assert figures(client)["saver_misses_today"] == 0
    assert [misses_left(maker), misses_left(joiner)] == [3, 3]


def test_an_answer_is_a_miss_until_its_confirmation_is_fetched(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=3, misses_a_day_in_all=100).test_client()
    maker, joiner = pair(client)
    meet(maker, joiner)
    assert figures(client)["saver_misses_today"] == 1
    assert maker.poll().json["state"] == "confirmed"
    assert figures(client)["saver_misses_today"] == 1
    joiner.poll()
    assert figures(client)["saver_misses_today"] == 0


def test_a_wrong_answer_stays_a_miss_after_a_right_one(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(misses_a_minute=3, misses_a_day_in_all=100).test_client()
    maker, joiner = pair(client)
    maker.open()
    for _ in range(2):
        maker.offer()
        joiner.join(1)
        assert joiner.answer().status_code == 204
    maker.confirm()
    assert [joiner.poll().json["state"] for _ in range(3)] == ["confirmed"] * 3
    assert figures(client)["saver_misses_today"] == 1
    assert misses_left(joiner) == 2


def test_an_answer_that_is_sent_again_is_refunded_as_often(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(misses_a_minute=5, misses_a_day_in_all=100).test_client()
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    joiner.join(1)
    joiner.answer()
    same = {"session": joiner.session, "share": joiner.share, "tag": joiner.tag}
    assert [joiner.send("answer", **same).status_code for _ in range(2)] == [204, 204]
    maker.confirm()
    joiner.poll()
    assert figures(client)["saver_misses_today"] == 0


def test_whoever_answers_at_random_is_counted_like_whoever_guesses_codes(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=4).test_client()
    maker, joiner = pair(client)
    maker.open()
    maker.offer()
    joiner.join(1)
    assert joiner.answer().status_code == 204
    # A second answer, an old session, and a number without a meeting.
    assert joiner.answer().status_code == 404
    joiner.session = joiner.draw(16)
    assert joiner.answer().status_code == 404
    assert joiner.post("join", number=5).status_code == 404
    maker.offer()
    assert joiner.join(1).status_code == 429
    assert (
        client.post(
            "/api/v1/load", json={"code": "qqqq"}, environ_overrides={"REMOTE_ADDR": JOINER}
        ).status_code
        == 429
    )
    assert LiveClient(client, 7, "192.0.2.77").join(1).status_code == 200


def test_a_request_of_the_wrong_shape_is_no_miss(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(misses_a_minute=2).test_client()
    one = LiveClient(client, 1)
    assert {one.post("join", number=0).status_code for _ in range(5)} == {422}
    assert {one.post("answer", number=1).status_code for _ in range(5)} == {422}
    assert misses_left(one) == 2


def test_in_the_one_miss_of_the_hour_a_right_answer_costs_nothing_too(
    make_app: Callable[..., Flask],  # noqa: F811
) -> None:
    client = make_app(misses_a_minute=10, misses_a_day_in_all=2).test_client()
    spent = LiveClient(client, 1, "192.0.2.66")
    assert misses_left(spent) == 3
    for number in range(3):
        maker, joiner = pair(client, number)
        meet(maker, joiner)
        assert joiner.poll().json["state"] == "confirmed"
    assert misses_left(joiner) == 1


def test_open_counts_as_a_write(make_app: Callable[..., Flask]) -> None:  # noqa: F811
    client = make_app(writes_a_minute=3).test_client()
    written = [LiveClient(client, seed).post("open", token="A" * 22, role="sender") for seed in range(2)]
    assert [one.status_code for one in written] == [201, 201]
    asked = [
        client.post("/api/v1/write", json={"text": "x"}, environ_overrides={"REMOTE_ADDR": a})
        for a in ("192.0.2.1",) * 2
    ]
    assert [one.status_code for one in asked] == [201, 429]
    refused = LiveClient(client, 3).post("open", token="A" * 22, role="sender")
    assert (refused.status_code, refused.json["type"]) == (429, "urn:saver:problem:too-many")


@pytest.mark.parametrize("path", ["offer", "poll", "confirm", "deliver", "close"])
def test_the_other_messages_have_a_limit_of_their_own(
    make_app: Callable[..., Flask],  # noqa: F811
    clock: Clock,  # noqa: F811
    path: str,
) -> None:
    limits = {"live_requests_a_minute": 3, "live_requests_a_minute_per_network": 5}
    client = make_app(**limits).test_client()

    def statuses(address: str) -> list[int]:
        one = LiveClient(client, 1, address)
        return [one.post(path, number=1).status_code for _ in range(4)]

    assert statuses("192.0.2.1") == [422, 422, 422, 429]
    assert statuses("2001:db8:1:1::1") == [422, 422, 422, 429]
    assert statuses("2001:db8:1:2::1") == [422, 422, 429, 429]
    refused = LiveClient(client, 1).post(path, number=1)
    assert int(refused.headers["Retry-After"]) <= 60
    # Look-ups and writes have theirs.
    assert LiveClient(client, 2).open() == 1
    clock.tick(60)
    assert statuses("192.0.2.1") == [422, 422, 422, 429]
