"""What goes wrong: on the network, at the service, with a code or a password, and by malice."""

from __future__ import annotations

import re
import sqlite3
import time

import pytest

from tests.e2e.extension.person import Person
from tests.e2e.extension.relay import NOTHING, Answer, Ask
from tests.support.process import free_port, wait_until
from tests.support.server import Server

TEXT, PASSWORD = "what must not be lost", "open sesame"
HTML = Answer(502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>")
# As the service asks for a password; a hostile one changes it.
SEAL = {"name": "PBKDF2-SHA256", "iterations": 600_000, "salt": "2w3rrBfulGZazvU9UkkE-Q"}
NO_TEXT = "urn:saver:problem:no-text"


def test_a_wrong_code_and_a_wrong_password(person: Person, en: dict[str, str]) -> None:
    code = person.save(TEXT, PASSWORD)
    person.load("w0rp")
    person.is_told("load", en["code_digits"])
    assert not person.network.asked("load")
    # No code of the service's.
    person.load("ZZZZ")
    person.is_told("load", en["no_text"])
    # A wrong code is likelier than a wrong password: it is what is to be mended.
    person.part("code-field").has_focus()
    person.part("code-field").holds("ZZZZ")
    person.unlock(code, "wrong")
    person.part("load").is_ready()
    wait_until(lambda: len(person.network.asked("load")) == 3, "all three were asked for")
    person.is_told("load", en["no_text_password"])
    person.part("load-password").has_focus()
    person.part("loaded").vanishes()
    person.part("load-password").fill(PASSWORD)
    person.part("load").click()
    person.reads(TEXT)


def test_an_expired_text(person: Person, live_server: Server, en: dict[str, str]) -> None:
    code = person.save(TEXT)
    # No test waits for a minute: what the row says is all that the service goes by.
    with sqlite3.connect(live_server.folder / "saver.db", timeout=60) as database:
        ended = {"code": code, "now": int(time.time()) - 1}
        changed = database.execute("UPDATE text SET expires_at = :now WHERE code = :code", ended).rowcount
    database.close()
    assert changed == 1
    person.load(code)
    person.is_told("load", en["no_text"])
    person.part("loaded").vanishes()


def test_a_deleted_text(person: Person, en: dict[str, str]) -> None:
    code = person.save(TEXT)
    person.part("delete").click()
    person.part("saved-heading").says(en["deleted"])
    person.load(code)
    person.is_told("load", en["no_text"])


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
    person: Person, en: dict[str, str], answer: Answer, said: str
) -> None:
    person.network.fail("write", answer)
    person.network.fail("load", answer)
    person.write(TEXT, PASSWORD)
    person.part("save").click()
    person.is_told("save", _message(en[said]))
    person.part("save").is_ready()
    person.part("text").holds(TEXT)
    person.part("password").holds(PASSWORD)
    person.load("wUrp")
    person.is_told("load", _message(en[said]))
    person.part("code-field").holds("wUrp")
    person.network.heal()
    person.part("save").click()
    person.unlock(person.code(), PASSWORD)
    person.reads(TEXT)


@pytest.mark.parametrize("answer", [NOTHING, HTML], ids=["nothing", "a proxy's page"])
def test_a_broken_line_loses_nothing(person: Person, en: dict[str, str], answer: Answer) -> None:
    # A proxy's own page lets no origin in: an extension cannot tell it from no answer.
    unread = answer is NOTHING or person.surface == "popup"
    person.network.fail("write", answer)
    person.write(TEXT)
    person.part("save").click()
    if unread:
        person.part("save-waiting").says(en["waiting_again"])
    person.is_told("save", _message(en["unreachable" if unread else "unavailable"]))
    person.part("save-waiting").says("")
    person.part("save").is_ready()
    person.part("text").holds(TEXT)
    person.network.heal()
    person.part("save").click()
    person.load(person.code())
    person.reads(TEXT)


def test_a_service_that_is_not_there(user: Person, en: dict[str, str]) -> None:
    user.set(server=f"http://127.0.0.1:{free_port()}/").open()
    user.write(TEXT)
    user.part("save").click()
    user.is_told("save", en["unreachable"])
    user.part("text").holds(TEXT)


def test_what_is_sent_again_leases_once(person: Person) -> None:
    codes = []

    def lose(body: bytes, ask: Ask) -> Answer:
        codes.append(ask().body)
        return NOTHING

    person.network.fail("write", lose, times=2)
    code = person.save(TEXT)
    sent = person.network.asked("write")
    assert len(sent) == 3
    assert len({each.body for each in sent}) == 1
    assert len({each.headers["Idempotency-Key"] for each in sent}) == 1
    assert all(f'"{code}"'.encode() in answer for answer in codes)


def test_a_lost_answer_does_not_burn_a_one_time_text(person: Person) -> None:
    def lose(body: bytes, ask: Ask) -> Answer:
        assert ask().status == 200
        return NOTHING

    code = person.save(TEXT, once=True)
    person.network.fail("load", lose, times=1)
    person.load(code)
    person.reads(TEXT)
    assert len({each.json["claim"] for each in person.network.asked("load")}) == 1
    person.part("one-time").appears()


@pytest.mark.parametrize(
    "weak",
    [{"iterations": 1}, {"iterations": 599_999}, {"iterations": 10**9}, {"salt": "AAAA"}, {"name": "MD5"}],
    ids=lambda weak: "-".join(map(str, weak.items())),
)
def test_a_hostile_service_gets_no_proof(person: Person, en: dict[str, str], weak: dict[str, object]) -> None:
    problem = {"type": NO_TEXT, "seal": {**SEAL, **weak}}
    person.network.fail("load", Answer.of(404, problem))
    person.unlock("wUrp", PASSWORD)
    person.is_told("load", en["weak_seal"])
    person.part("load").is_ready()
    assert [sorted(each.json) for each in person.network.asked("load")] == [["claim", "code"]]


def _message(template: str) -> re.Pattern[str]:
    """A message, whatever time it names."""
    before, _, after = template.partition("{time}")
    return re.compile(f"^{re.escape(before)}.*{re.escape(after)}$")
