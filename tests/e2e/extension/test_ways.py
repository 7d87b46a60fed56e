"""A text goes from any browser, popup, page or terminal to any other."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.e2e.extension.conftest import BROWSERS, SURFACES, Browsers
from tests.e2e.extension.relay import Relay
from tests.e2e.extension.user import Surface, User
from tests.support.process import wait_until

TEXT, PASSWORD = "the plain text\n  of two lines", "open sesame"
MAX_BYTES = 1_048_576
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
    here, there = [User(_new(browsers, name), surface, network).set().open() for name in (sender, receiver)]
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
def test_from_one_surface_to_the_other(user: User, en: dict[str, str], once: bool) -> None:
    code = user.save(TEXT, once=once)
    other = User(user.driver, "page" if user.surface == "popup" else "popup", user.network)
    other.set().open()
    other.load(code)
    other.reads(TEXT)
    user.open()
    user.load(code)
    if once:
        user.shows_error("load", en["no_text"])
    else:
        user.reads(TEXT)


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_from_a_terminal(user: User, password: str) -> None:
    wanted = {"text": TEXT, **({"password": password} if password else {})}
    code = json.loads(_curl(user.network, "write", wanted))["code"]
    if password:
        user.unlock(code, password)
    else:
        user.load(code)
    user.reads(TEXT)


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_to_a_terminal(user: User, password: str) -> None:
    code = user.save(TEXT, password)
    shown = {"code": code, **({"password": password} if password else {})}
    assert _curl(user.network, "load", shown, "Accept: text/plain") == TEXT


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_is_text_and_nothing_else(user: User, en: dict[str, str], text: str) -> None:
    user.load(user.save(text))
    user.reads(text)
    hits = "() => [window.hit ?? null, document.querySelectorAll('img, b, body script').length]"
    assert user.driver.evaluate(hits) == [None, 0]
    direction = "() => getComputedStyle(document.querySelector('[data-part=loaded-text]')).direction"
    assert user.driver.evaluate(direction) == ("rtl" if text == TEXTS["right to left"] else "ltr")
    user.part("copy-text").click()
    user.part("loaded-status").says(en["text_copied"])
    assert user.driver.copied() == text


def test_the_largest_text(user: User) -> None:
    # Half in many lines, half in one: each can make a browser slow. Sealed it is a third larger.
    text = "0123456789abcde\n" * (MAX_BYTES // 32) + "0123456789abcdef" * (MAX_BYTES // 32)
    if user.surface == "popup":
        user.unlock(user.save(text, PASSWORD), PASSWORD)
    else:
        user.load(user.save(text))
    user.reads(text)


def test_a_copied_code_and_a_copied_link(user: User, en: dict[str, str]) -> None:
    code = user.save(TEXT)
    user.part("copy-code").click()
    user.part("saved-status").says(en["code_copied"])
    assert user.driver.copied() == code
    user.part("copy-link").click()
    user.part("saved-status").says(en["link_copied"])
    assert user.driver.copied() == f"{user.network.url}/#{code}"
    reader = User(user.driver, "page", user.network).open(f"/#{code}")
    reader.part("load").click()
    reader.reads(TEXT)
    assert user.driver.evaluate("() => location.href") == f"{user.network.url}/"


def test_the_code_is_drawn(user: User) -> None:
    user.save(TEXT)
    user.part("show-qr").click()
    user.part("qr").find("svg path").appears()


def test_a_generated_phrase_locks_a_text(user: User, en: dict[str, str]) -> None:
    user.part("text").fill(TEXT)
    user.open_options()
    user.part("phrase").click()
    user.part("phrase-strength").says(en["phrase_strength"])
    phrase = user.part("password").now.value or ""
    assert len(phrase.split()) == 5
    user.part("save").click()
    user.unlock(user.code(), phrase)
    user.reads(TEXT)


def _new(browsers: Browsers, name: str):  # type: ignore[no-untyped-def]
    driver = browsers(name)
    driver.clean()
    return driver


def _was_read(sender: User) -> None:
    # Acknowledged after it is shown.
    wait_until(lambda: any(each.status == 204 for each in sender.network.asked("ack")), "it was acknowledged")
    # It asks without a click.
    sender.part("receipt").says(re.compile("^Opened at .* Read and gone"))


def _curl(network: Relay, route: str, body: object, *headers: str) -> str:
    """Ask as from a terminal."""
    given = [part for header in ("Content-Type: application/json", *headers) for part in ("-H", header)]
    command = ["curl", "-sS", *given, "-d", json.dumps(body), f"{network.url}/api/v1/{route}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
