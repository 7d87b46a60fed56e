"""Failures: of the network, of the service, a wrong code or password, and attacks."""

from __future__ import annotations

import re
import sqlite3
import time

import pytest

from tests.e2e.extension.relay import NOTHING, Answer, Ask
from tests.e2e.extension.user import User
from tests.support.process import free_port, wait_until
from tests.support.server import Server

TEXT, PASSWORD = "what must not be lost", "open sesame"
HTML = Answer(502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>")
# As the service asks for a password; a malicious one changes it.
SEAL = {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": "2w3rrBfulGZazvU9UkkE-Q"}
NO_TEXT = "urn:saver:problem:no-text"


def test_a_wrong_code_and_a_wrong_password(user: User, en: dict[str, str]) -> None:
    code = user.save(TEXT, PASSWORD)
    user.load("w0rp")
    user.shows_error("load", en["code_digits"])
    assert not user.network.asked("load")
    # Not a code of the service.
    user.load("ZZZZ")
    user.shows_error("load", en["no_text"])
    # A wrong code is more likely than a wrong password, so the code field gets the focus.
    user.part("code-field").has_focus()
    user.part("code-field").holds("ZZZZ")
    user.unlock(code, "wrong")
    user.part("load").is_ready()
    wait_until(lambda: len(user.network.asked("load")) == 3, "all three were asked for")
    user.shows_error("load", en["no_text_password"])
    user.part("load-password").has_focus()
    user.part("loaded").vanishes()
    user.part("load-password").fill(PASSWORD)
    user.part("load").click()
    user.reads(TEXT)


def test_an_expired_text(user: User, live_server: Server, en: dict[str, str]) -> None:
    code = user.save(TEXT)
    # The test does not wait a minute: it changes the row, which is all that the service reads.
    with sqlite3.connect(live_server.folder / "saver.db", timeout=60) as database:
        ended = {"code": code, "now": int(time.time()) - 1}
        changed = database.execute("UPDATE text SET expires_at = :now WHERE code = :code", ended).rowcount
    database.close()
    assert changed == 1
    user.load(code)
    user.shows_error("load", en["no_text"])
    user.part("loaded").vanishes()


def test_a_deleted_text(user: User, en: dict[str, str]) -> None:
    code = user.save(TEXT)
    user.part("delete").click()
    user.part("saved-heading").says(en["deleted"])
    user.load(code)
    user.shows_error("load", en["no_text"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer.of(429, {}, Retry_After="120"), "too_many"),
        (Answer.of(503, {}, Retry_After="120"), "unavailable"),
        (Answer.of(500, {}), "fault"),
        (Answer.of(200, {"hello": "world"}), "fault"),
    ],
    ids=["429", "503", "500", "another service"],
)
def test_a_service_in_trouble_loses_nothing(
    user: User, en: dict[str, str], answer: Answer, said: str
) -> None:
    user.network.fail("write", answer)
    user.network.fail("load", answer)
    user.write(TEXT, PASSWORD)
    user.part("save").click()
    user.shows_error("save", _message(en[said]))
    user.part("save").is_ready()
    user.part("text").holds(TEXT)
    user.part("password").holds(PASSWORD)
    user.load("wUrp")
    user.shows_error("load", _message(en[said]))
    user.part("code-field").holds("wUrp")
    user.network.heal()
    user.part("save").click()
    user.unlock(user.code(), PASSWORD)
    user.reads(TEXT)


@pytest.mark.parametrize("answer", [NOTHING, HTML], ids=["nothing", "a proxy's page"])
def test_a_broken_line_loses_nothing(user: User, en: dict[str, str], answer: Answer) -> None:
    # A proxy's error page allows no origin: for an extension it is the same as no answer.
    unread = answer is NOTHING or user.surface == "popup"
    user.network.fail("write", answer)
    user.write(TEXT)
    user.part("save").click()
    if unread:
        user.part("save-waiting").says(en["waiting_again"])
    user.shows_error("save", _message(en["unreachable" if unread else "unavailable"]))
    user.part("save-waiting").says("")
    user.part("save").is_ready()
    user.part("text").holds(TEXT)
    user.network.heal()
    user.part("save").click()
    user.load(user.code())
    user.reads(TEXT)


def test_a_service_that_is_not_there(popup_user: User, en: dict[str, str]) -> None:
    popup_user.set(server=f"http://127.0.0.1:{free_port()}/").open()
    popup_user.write(TEXT)
    popup_user.part("save").click()
    popup_user.shows_error("save", en["unreachable"])
    popup_user.part("text").holds(TEXT)


def test_what_is_sent_again_leases_once(user: User) -> None:
    codes = []

    def lose(body: bytes, ask: Ask) -> Answer:
        codes.append(ask().body)
        return NOTHING

    user.network.fail("write", lose, times=2)
    code = user.save(TEXT)
    sent = user.network.asked("write")
    assert len(sent) == 3
    assert len({each.body for each in sent}) == 1
    assert len({each.headers["Idempotency-Key"] for each in sent}) == 1
    assert all(f'"{code}"'.encode() in answer for answer in codes)


def test_a_lost_answer_does_not_burn_a_one_time_text(user: User) -> None:
    def lose(body: bytes, ask: Ask) -> Answer:
        assert ask().status == 200
        return NOTHING

    code = user.save(TEXT, once=True)
    user.network.fail("load", lose, times=1)
    user.load(code)
    user.reads(TEXT)
    assert len({each.json["claim"] for each in user.network.asked("load")}) == 1
    user.part("one-time").appears()


@pytest.mark.parametrize(
    "weak",
    [{"iterations": 1}, {"iterations": 599_999}, {"iterations": 10**9}, {"salt": "AAAA"}, {"name": "MD5"}],
    ids=lambda weak: "-".join(map(str, weak.items())),
)
def test_a_hostile_service_gets_no_proof(user: User, en: dict[str, str], weak: dict[str, object]) -> None:
    problem = {"type": NO_TEXT, "seal": {**SEAL, **weak}}
    user.network.fail("load", Answer.of(404, problem))
    user.unlock("wUrp", PASSWORD)
    user.shows_error("load", en["weak_seal"])
    user.part("load").is_ready()
    assert [sorted(each.json) for each in user.network.asked("load")] == [["claim", "code"]]


def _message(template: str) -> re.Pattern[str]:
    """A message with any time in it."""
    before, _, after = template.partition("{time}")
    return re.compile(f"^{re.escape(before)}.*{re.escape(after)}$")
