"""The ways of a text: from any browser, surface or terminal to any other."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.e2e.extension.conftest import BROWSERS, SURFACES, Browsers
from tests.e2e.extension.person import Person, Surface
from tests.e2e.extension.relay import Relay
from tests.support.process import wait_until

TEXT, PASSWORD = "the plain text\n  of two lines", "open sesame"
MOST_BYTES = 1_048_576
KINDS = {
    "open": ("", False),
    "locked": (PASSWORD, False),
    "once": ("", True),
    "locked once": (PASSWORD, True),
}
TEXTS = {
    "markup": "<img src=x onerror='window.hit=1'><script>window.hit=1</script></textarea><b>&amp;\"'",
    "right to left": "\u05d0\u05d1\n\u0645\u0631",
    "emoji": "\U0001f469\u200d\U0001f467 \U0001f1f0\U0001f1f7 e\u0301",
    "spaces": "\ufefftabs\t\u2028 and \uac00\ub098\ub2e4\n ",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("sender", "receiver"), [BROWSERS, BROWSERS[::-1]], ids=["to firefox", "to chromium"]
)
@pytest.mark.parametrize("surface", SURFACES)
def test_saved_in_one_browser_and_loaded_in_the_other(
    browsers: Browsers, network: Relay, surface: Surface, sender: str, receiver: str, kind: str
) -> None:
    password, once = KINDS[kind]
    here, there = [Person(_new(browsers, name), surface, network).set().open() for name in (sender, receiver)]
    code = here.save(TEXT, password, once=once)
    assert re.fullmatch("[a-zA-Z]{4}", code)
    if password:
        there.unlock(code, password)
    else:
        there.load(code)
    there.reads(TEXT)
    if once:
        there.part("one-time").appears()
        _was_read(here)
    secrets = [PASSWORD, TEXT.split("\n", maxsplit=1)[0]] if password else []
    sent = b"".join(each.body for each in network.passed)
    assert not [secret for secret in secrets if secret.encode() in sent]


@pytest.mark.parametrize("once", [False, True])
def test_from_one_surface_to_the_other(person: Person, en: dict[str, str], once: bool) -> None:
    code = person.save(TEXT, once=once)
    other = Person(person.driver, "page" if person.surface == "popup" else "popup", person.network)
    other.set().open()
    other.load(code)
    other.reads(TEXT)
    person.open()
    person.load(code)
    if once:
        person.is_told("load", en["no_text"])
    else:
        person.reads(TEXT)


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_from_a_terminal(person: Person, password: str) -> None:
    wanted = {"text": TEXT, **({"password": password} if password else {})}
    code = json.loads(_curl(person.network, "write", wanted))["code"]
    if password:
        person.unlock(code, password)
    else:
        person.load(code)
    person.reads(TEXT)


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_to_a_terminal(person: Person, password: str) -> None:
    code = person.save(TEXT, password)
    shown = {"code": code, **({"password": password} if password else {})}
    assert _curl(person.network, "load", shown, "Accept: text/plain") == TEXT


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_is_text_and_nothing_else(person: Person, en: dict[str, str], text: str) -> None:
    person.load(person.save(text))
    person.reads(text)
    hits = "() => [window.hit ?? null, document.querySelectorAll('img, b, body script').length]"
    assert person.driver.evaluate(hits) == [None, 0]
    direction = "() => getComputedStyle(document.querySelector('[data-part=loaded-text]')).direction"
    assert person.driver.evaluate(direction) == ("rtl" if text == TEXTS["right to left"] else "ltr")
    person.part("copy-text").click()
    person.part("loaded-status").says(en["text_copied"])
    assert person.driver.copied() == text


def test_the_largest_text(person: Person) -> None:
    # Half of it in lines, half in one: either can make a browser slow. Sealed it is a third larger.
    text = "0123456789abcde\n" * (MOST_BYTES // 32) + "0123456789abcdef" * (MOST_BYTES // 32)
    if person.surface == "popup":
        person.unlock(person.save(text, PASSWORD), PASSWORD)
    else:
        person.load(person.save(text))
    person.reads(text)


def test_a_copied_code_and_a_copied_link(person: Person, en: dict[str, str]) -> None:
    code = person.save(TEXT)
    person.part("copy-code").click()
    person.part("saved-status").says(en["code_copied"])
    assert person.driver.copied() == code
    person.part("copy-link").click()
    person.part("saved-status").says(en["link_copied"])
    assert person.driver.copied() == f"{person.network.url}/#{code}"
    reader = Person(person.driver, "page", person.network).open(f"/#{code}")
    reader.part("load").click()
    reader.reads(TEXT)
    assert person.driver.evaluate("() => location.href") == f"{person.network.url}/"


def test_the_code_is_drawn(person: Person) -> None:
    person.save(TEXT)
    person.part("show-qr").click()
    person.part("qr").find("svg path").appears()


def test_a_generated_phrase_locks_a_text(person: Person, en: dict[str, str]) -> None:
    person.part("text").fill(TEXT)
    person.open_options()
    person.part("phrase").click()
    person.part("phrase-strength").says(en["phrase_strength"])
    phrase = person.part("password").now.value or ""
    assert len(phrase.split()) == 5
    person.part("save").click()
    person.unlock(person.code(), phrase)
    person.reads(TEXT)


def _new(browsers: Browsers, name: str):  # type: ignore[no-untyped-def]
    driver = browsers(name)
    driver.clean()
    return driver


def _was_read(sender: Person) -> None:
    # Acknowledged after it is shown.
    wait_until(lambda: any(each.status == 204 for each in sender.network.asked("ack")), "it was acknowledged")
    # It asks by itself.
    sender.part("receipt").says(re.compile("^Opened at .* Read and gone"))


def _curl(network: Relay, route: str, body: object, *headers: str) -> str:
    """As from a terminal."""
    given = [part for header in ("Content-Type: application/json", *headers) for part in ("-H", header)]
    command = ["curl", "-sS", *given, "-d", json.dumps(body), f"{network.url}/api/v1/{route}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
