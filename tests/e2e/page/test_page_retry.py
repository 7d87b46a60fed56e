"""Lost answers: a write is sent again without a second code, a one-time text is not lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.page.helpers import EN, sent_by
from tests.support.browser import Visiting

TEXT, PASSWORD = "the plain text", "open sesame"
UUID_OF_A_WRITE = "idempotency-key"


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_write_whose_answer_was_lost_is_sent_again_and_leases_once(visit: Visiting, password: str) -> None:
    sender, codes = visit(), []

    def lose(route: Route) -> None:
        codes.append(route.fetch().json()["code"])
        route.abort()

    sender.page.route("**/api/v1/write", lose)
    sender.open().options()
    with sent_by(sender) as sent:
        sender.part("text").fill(TEXT)
        sender.part("password").fill(password)
        for _ in range(2):
            sender.part("save").click()
            expect(sender.part("save-alert")).to_have_text(EN["unreachable"])
            expect(sender.part("save")).to_be_enabled()
        sender.page.unroute("**/api/v1/write")
        codes.append(sender.save(TEXT, password=password))
    # Three tries for each click, and the last one got an answer.
    assert (len(codes), len(set(codes))) == (7, 1)
    assert len({request.post_data for request in sent}) == 1
    assert len({UUID(request.headers[UUID_OF_A_WRITE]) for request in sent}) == 1


def test_a_write_whose_answer_was_lost_once_is_saved_all_the_same(visit: Visiting) -> None:
    sender, codes = visit(), []

    def lose(route: Route) -> None:
        codes.append(route.fetch().json()["code"])
        route.abort()

    sender.page.route("**/api/v1/write", lose, times=1)
    codes.append(sender.open().save(TEXT, password=PASSWORD))
    assert (len(codes), len(set(codes))) == (2, 1)


def test_what_was_changed_is_another_write(visit: Visiting) -> None:
    sender = visit().open().options()
    sender.answer("write", 503, {})
    with sent_by(sender) as sent:
        sender.part("text").fill(TEXT)
        changes: list[Callable[[], None]] = [
            lambda: None,
            lambda: None,
            lambda: sender.part("text").fill("another"),
            lambda: sender.part("password").fill(PASSWORD),
            lambda: sender.page.get_by_label("3 hr").check(),
            lambda: sender.part("once").check(),
        ]
        for change in changes:
            change()
            with sender.page.expect_response("**/api/v1/write"):
                sender.part("save").click()
            expect(sender.part("save")).to_be_enabled()
    keys = [request.headers[UUID_OF_A_WRITE] for request in sent]
    assert (keys[0] == keys[1], len(set(keys))) == (True, 5)


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_one_time_text_has_one_reader(visit: Visiting, password: str) -> None:
    sender, first, second = visit().open(), visit().open(), visit().open()
    code = sender.save(TEXT, password=password, once=True)
    with first.page.expect_response("**/api/v1/ack") as acknowledged:
        if password:
            first.unlock(code, password)
        else:
            first.load(code)
    assert acknowledged.value.status == 204
    expect(first.part("loaded-text")).to_have_value(TEXT)
    expect(first.part("one-time")).to_have_text(EN["one_time"])
    expect(first.part("loaded-left")).to_be_empty()
    second.load(code)
    expect(second.part("load-alert")).to_have_text(EN["no_text"])
    expect(sender.part("saved-heading")).to_have_text(EN["read"])
    expect(sender.part("receipt")).to_have_text(re.compile(r"^Opened at \d\d:\d\d\. Read and gone\."))
    expect(sender.part("code")).to_be_hidden()


def test_a_lost_answer_does_not_lose_a_one_time_text(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    code = sender.save(TEXT, once=True)

    def lose(route: Route) -> None:
        assert route.fetch().ok
        route.abort()

    receiver.page.route("**/api/v1/load", lose, times=3)
    receiver.open()
    receiver.load(code)
    expect(receiver.part("load-waiting")).to_have_text(EN["waiting_again"])
    expect(receiver.part("load-alert")).to_have_text(EN["load_unreachable"])
    expect(receiver.part("load-waiting")).to_be_empty()
    receiver.load(code)
    expect(receiver.part("loaded-text")).to_have_value(TEXT)
    expect(receiver.part("one-time")).to_be_visible()


def test_a_failed_acknowledgement_is_sent_again_without_a_message(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit()
    code = sender.save(TEXT, once=True)
    receiver.page.route("**/api/v1/ack", lambda route: route.abort(), times=1)
    receiver.open()
    with receiver.page.expect_response("**/api/v1/ack") as acknowledged:
        receiver.load(code)
    assert acknowledged.value.status == 204
    expect(receiver.part("load-alert")).to_be_empty()


def test_an_ordinary_text_is_not_acknowledged(visit: Visiting) -> None:
    sender, receiver = visit().open(), visit().open()
    receiver.load(sender.save(TEXT))
    expect(receiver.part("loaded")).to_be_visible()
    expect(receiver.part("one-time")).to_be_hidden()
    assert not [url for url in receiver.asked if url.endswith("/ack")]
