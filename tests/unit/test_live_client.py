"""The two sides of a live transfer against a service in memory, an honest one and hostile ones."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from saver import seal
from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Maker, MakerState
from saver.live_transfer.codes import LiveCode
from saver.live_transfer.errors import (
    BadServiceError,
    LiveTransferError,
    MeetingEndedError,
    OtherRoleError,
    RefusedError,
    SameLettersError,
    WrongLettersError,
)
from saver.live_transfer.exchange import Role, other_role
from saver.live_transfer.meeting import Written
from saver.live_transfer.messages import Response
from saver.seal import Keys, Seal
from tests.support.live_service import Body, Change, LiveService, Pair
from tests.support.live_vectors import REFUSED

TEXT = "금고는 그림 뒤에 있습니다.\r\n"
ROLES: list[Role] = ["sender", "receiver"]
WRONG = ["aaaa", "bbbb", "cccc"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("loses", [False, True], ids=["", "every answer is lost once"])
def test_a_text_arrives(role: Role, loses: bool) -> None:
    service = LiveService(loses=loses)
    pair = Pair(service, role)
    maker, joiner = pair.transfer(TEXT)
    sent, received = (maker, joiner) if role == "sender" else (joiner, maker)
    assert sent == Written(seal_code(), "o")
    assert received == TEXT
    assert pair.maker.live_code.letters not in service.everything()
    assert TEXT.strip() not in service.everything()
    if loses:
        writes = [request for request in service.requests if request[0] == "write"]
        assert len(writes) == 2
        assert writes[0] == writes[1]
        assert writes[0][2]["Idempotency-Key"]


def seal_code() -> Any:
    return "wXyZ"


@pytest.mark.parametrize("role", ROLES)
def test_two_slips_and_then_the_right_letters(role: Role) -> None:
    pair = Pair(LiveService(), role)
    results = pair.transfer(TEXT, "aaaa", "bbbb", None)
    assert TEXT in results
    assert pair.maker.state.checked == 3


@pytest.mark.parametrize("role", ROLES)
def test_after_three_slips_nothing_of_the_text_was_sent(role: Role) -> None:
    service = LiveService()
    pair = Pair(service, role)
    maker, joiner = pair.transfer(TEXT, *WRONG, None)
    assert isinstance(maker, WrongLettersError)
    assert isinstance(joiner, LiveTransferError)
    assert service.ended
    assert not {"write", "load"} & {*service.paths()}


def test_a_joiner_is_told_how_many_tries_are_left() -> None:
    pair = Pair(LiveService())
    _, joiner = pair.transfer(TEXT, "aaaa")
    assert isinstance(joiner, WrongLettersError)
    assert joiner.tries_left == 2


def test_the_same_letters_are_sent_once() -> None:
    service = LiveService()
    pair = Pair(service)
    _, joiner = pair.transfer(TEXT, "aaaa", "aaaa")
    assert isinstance(joiner, SameLettersError)
    assert service.paths().count("live/answer") == 1


def test_a_number_takes_three_tags_until_its_meeting_has_ended_or_a_transfer_succeeds() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for letters in WRONG:
        attempts.record(LiveCode.parse(f"7 {letters}"))
    attempts.record(LiveCode.parse("8 dddd"))
    with pytest.raises(WrongLettersError):
        attempts.record(LiveCode.parse("7 dddd"))
    now[0] = 600
    attempts.record(LiveCode.parse("7 aaaa"))
    with pytest.raises(SameLettersError):
        attempts.record(LiveCode.parse("7 aaaa"))
    attempts.forget(7)
    attempts.record(LiveCode.parse("7 aaaa"))


def test_a_tag_is_counted_before_it_is_checked_and_an_attempt_before_it_is_sent() -> None:
    order: list[str] = []

    def note(path: str, body: Body, response: Response) -> Response:
        order.append(path)
        return response

    pair = Pair(LiveService(note))
    pair.stored.clear()
    pair.maker._store = lambda state: order.append(f"checked {state.checked}")
    pair.attempts._store = lambda made: order.append(f"attempts {len(made)}")
    pair.transfer(TEXT)
    assert order.index("attempts 1") < order.index("live/answer")
    assert order.index("live/answer") < order.index("checked 1") < order.index("live/confirm")


def test_a_maker_that_has_checked_three_tags_checks_no_other() -> None:
    service = LiveService()
    pair = Pair(service)
    state = pair.maker.state
    pair.maker = Maker(pair.tools(), MakerState(7, state.letters, state.token, "sender", checked=3))
    maker, _ = pair.transfer(TEXT)
    assert isinstance(maker, WrongLettersError)
    assert not {"live/offer", "write"} & {*service.paths()}


def test_both_cannot_do_the_same() -> None:
    service = LiveService()
    pair = Pair(service)
    _, joiner = pair.turns.run(lambda: pair.maker.hand_over("x"), lambda: pair.joiner().hand_over("y"))
    assert isinstance(joiner, OtherRoleError)
    assert not {"live/answer", "write"} & {*service.paths()}


def test_who_waits_in_vain_ends_after_ten_minutes() -> None:
    service = LiveService()
    pair = Pair(service)
    start = pair.turns.time
    with pytest.raises(MeetingEndedError):
        pair.maker.receive()
    assert 600 <= pair.turns.time - start < 605
    polls = service.paths().count("live/poll")
    assert polls == 20 + 50 + 271
    assert service.ended


# A hostile service


def answering(path: str, response: Response) -> Change:
    return lambda asked, _body, answer: response if asked == path else answer


def with_fields(path: str, **fields: object) -> Change:
    """Change fields of good answers, if they are there."""

    def change(asked: str, _body: Body, answer: Response) -> Response:
        if asked != path or not isinstance(answer.body, dict):
            return answer
        there = {name: value for name, value in fields.items() if answer.body.get(name) is not None}
        return answer._replace(body={**answer.body, **there})

    return change


def swapped_role(path: str, _body: Body, answer: Response) -> Response:
    if path != "live/join" or not isinstance(answer.body, dict) or answer.status != 200:
        return answer
    return answer._replace(body={**answer.body, "role": other_role(answer.body["role"])})


def reflecting() -> Change:
    """The maker gets its own share, as if it were that of a joiner."""
    seen: dict[str, Any] = {}

    def change(path: str, body: Body, answer: Response) -> Response:
        if path == "live/offer":
            seen.update(body)
        if path == "live/poll" and isinstance(answer.body, dict) and answer.body.get("share"):
            return answer._replace(body={**answer.body, "share": seen["share"]})
        return answer

    return change


def tag_returned() -> Change:
    """The joiner gets its own tag, and the maker's is kept from it."""
    seen: dict[str, Any] = {}

    def change(path: str, body: Body, answer: Response) -> Response:
        if path == "live/answer":
            seen.update(body)
        if path == "live/poll" and seen and isinstance(answer.body, dict) and body["token"] == seen["token"]:
            return answer._replace(body={**answer.body, "state": "confirmed", "tag": seen["tag"]})
        return answer

    return change


LOW = {vector["name"]: vector["share"] for vector in REFUSED["shares"]}
NO_TEXT = Response(404, {"type": "urn:saver:problem:no-text", "seal": Seal(bytes(16)).as_json()})
HTML = Response(200, None)
EXCHANGE: Mapping[str, Change] = {
    **{f"to the joiner: {name}": with_fields("live/join", share=share) for name, share in LOW.items()},
    **{f"to the maker: {name}": with_fields("live/poll", share=share) for name, share in LOW.items()},
    "another session": with_fields("live/join", session=seal.encode(bytes(16))),
    "a short session": with_fields("live/join", session=seal.encode(bytes(15))),
    "another share": with_fields("live/join", share=seal.encode(bytes([9] + [0] * 31))),
    "another tag": with_fields("live/poll", tag=seal.encode(bytes(64))),
    "a short tag": with_fields("live/poll", tag=seal.encode(bytes(63))),
    "no tag": with_fields("live/poll", tag=None, state="answered"),
    "a tag of another kind": with_fields("live/poll", tag=7),
    "the role of the maker": swapped_role,
    "a role that does not exist": with_fields("live/join", role="reader"),
    "a state that does not exist": with_fields("live/poll", state="loaded"),
    "the maker's own share": reflecting(),
    "a text in place of an offer": answering("live/join", Response(200, {"text": "x", "sealed": False})),
    "the 404 of a text": answering("live/join", NO_TEXT),
    **{
        f"{status} for {path}": answering(f"live/{path}", Response(status, {"location": "/api/v1/load"}))
        for status, path in itertools.product((301, 307, 308, 500), ("offer", "join", "poll"))
    },
    **{f"no JSON for {path}": answering(f"live/{path}", HTML) for path in ("join", "poll")},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", EXCHANGE)
def test_a_hostile_service_gets_nothing_of_the_text(name: str, role: Role) -> None:
    service = LiveService(EXCHANGE[name])
    pair = Pair(service, role)
    for result in pair.transfer(TEXT):
        assert isinstance(result, LiveTransferError), result
    assert not {"write", "load"} & {*service.paths()}
    assert pair.maker.live_code.letters not in service.everything()


def test_a_joiner_that_gets_its_own_tag_back_ends() -> None:
    service = LiveService(tag_returned())
    _, joiner = Pair(service).transfer(TEXT)
    assert isinstance(joiner, BadServiceError)
    assert "load" not in service.paths()


def test_an_exchange_for_one_number_is_none_for_another() -> None:
    """The joiner types 8, and the service answers with the meeting 7."""
    service = LiveService()
    pair = Pair(service)
    honest = service.answer
    service.answer = lambda path, body: honest(path, {**body, "number": 7})  # type: ignore[method-assign]
    maker, joiner = pair.turns.run(
        lambda: pair.maker.hand_over(TEXT), lambda: pair.joiner(number=8).receive()
    )
    assert isinstance(maker, LiveTransferError)
    assert isinstance(joiner, WrongLettersError)
    assert "write" not in service.paths()


def test_what_was_recorded_is_worth_nothing_in_a_later_exchange() -> None:
    recorded = LiveService()
    first = Pair(recorded, seed=1)
    assert TEXT in first.transfer(TEXT)
    reply = recorded.reply or {}
    replay = with_fields("live/poll", share=reply["share"], tag=reply["tag"])
    service = LiveService(replay)
    second = Pair(service, seed=2)
    second.maker.state = MakerState(7, first.maker.state.letters, second.maker.state.token, "sender")
    for result in second.transfer(TEXT):
        assert isinstance(result, LiveTransferError)
    assert "write" not in service.paths()


@pytest.mark.parametrize("response", [Response(307, {"location": "/api/v1/load"}), Response(500), HTML])
def test_a_joiner_whose_answer_is_not_taken_ends(response: Response) -> None:
    service = LiveService(answering("live/answer", response))
    _, joiner = Pair(service).transfer(TEXT)
    assert isinstance(joiner, BadServiceError)
    assert "load" not in service.paths()


OTHER = seal.encrypt_under(seal.LIVE_HEADER, TEXT, bytes(32), bytes(12))
SEALED = seal.encrypt(TEXT, Seal(bytes(16)), Keys(bytes(32), bytes(32)), bytes(12))
LOADED: dict[str, dict[str, object]] = {
    "an open text": {"sealed": False, "text": "pay to another account"},
    "an open text as a sealed one": {"text": "pay to another account"},
    "a text under another key": {"text": OTHER},
    "a text under a password": {"text": SEALED},
    "no text": {"text": None},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LOADED)
def test_the_receiver_shows_only_what_opens_under_the_key(name: str, role: Role) -> None:
    def change(path: str, _body: Body, answer: Response) -> Response:
        return (
            answer._replace(body={**answer.body, **LOADED[name]})
            if path == "load" and isinstance(answer.body, dict)
            else answer
        )

    results = Pair(LiveService(change), role).transfer(TEXT)
    received = results[1 if role == "sender" else 0]
    assert isinstance(received, BadServiceError)


def test_a_service_that_is_busy_is_asked_again_for_a_while() -> None:
    for status, retry_after, times in (429, 3.0, 3), (503, None, 3), (429, 3_600.0, 1):
        service = LiveService(answering("live/join", Response(status, {}, retry_after)))
        pair = Pair(service)
        with pytest.raises(RefusedError) as refused:
            pair.joiner().receive()
        assert (refused.value.status, refused.value.retry_after) == (status, retry_after)
        assert service.paths().count("live/join") == times


def test_no_secret_is_in_a_message_of_an_error() -> None:
    for error in (
        WrongLettersError(2),
        MeetingEndedError(),
        BadServiceError(),
        SameLettersError(),
        OtherRoleError(),
    ):
        assert str(error).endswith(".")


def test_the_maker_says_when_a_joiner_can_come_and_when_letters_were_wrong() -> None:
    pair = Pair(LiveService())
    offers: list[tuple[int, int]] = []

    def offered(tries_left: int) -> None:
        offers.append((tries_left, pair.service.paths().count("live/offer")))

    def join() -> object:
        for typed in ("aaaa", None):
            with suppress(WrongLettersError):
                return pair.joiner(typed).receive()
        return None

    pair.turns.run(lambda: pair.maker.hand_over(TEXT, offered), join)
    assert offers == [(3, 1), (2, 2)]
