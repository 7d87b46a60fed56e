"""The HTML at ``/``: its head, its languages, its commands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver.web.languages import LANGUAGES, NAMES, match_language
from tests.support.markup import attribute
from tests.support.server import ROOT

UI = ROOT / "extension" / "ui"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
LIMITS = re.compile(r'<script type="application/json" id="limits">(.*?)</script>', re.DOTALL)
COMMAND = re.compile(r"<pre><code>curl .* (\S+)api/v1/\w+</code></pre>")


def addresses(client: FlaskClient, **headers: str) -> set[str]:
    """The URLs in the commands that the page shows without JavaScript."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return set(COMMAND.findall(client.get("/", headers=named).text))


# The head


def test_the_page_is_guarded(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    scripts = re.findall("<script(.*?)>", answer.text)
    assert all("src=" in each or 'type="application/json"' in each for each in scripts)
    assert not re.search(r"<style|\bstyle=|\bon\w+=", answer.text)


@pytest.mark.parametrize(
    "contact", ["", "</script><script>alert(1)</script>", "<!--<script>", 'a & b\'s "c"']
)
def test_the_limits_are_those_of_the_api(make_app: Callable[..., Flask], contact: str) -> None:
    client = make_app(contact=contact, max_text_bytes=2_048).test_client()
    page = client.get("/").text
    [limits] = LIMITS.findall(page)
    assert json.loads(limits) == client.get("/api/v1/limits").json
    assert json.loads(limits)["contact"] == contact
    assert "<" not in limits


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_head_is_in_the_language(client: FlaskClient, language: str) -> None:
    page = client.get(f"/?lang={language}").text
    assert f'<html lang="{language}" dir="ltr">' in page
    words = json.loads((UI / f"{language}.json").read_text("utf-8"))
    assert attribute(page, 'meta name="description"') == words["description"]
    assert attribute(page, 'link rel="manifest"') == f"manifest.webmanifest?lang={language}"


def test_the_bars_of_the_browser_have_the_colour_of_the_page(client: FlaskClient) -> None:
    page = client.get("/").text
    grounds = re.findall(r"--ground: (#\w{6});", (UI / "base.css").read_text())
    schemes = [
        attribute(page, rf'meta name="theme-color" media="\(prefers-color-scheme: {scheme}\)"')
        for scheme in ("light", "dark")
    ]
    assert schemes == grounds


# Languages


def test_the_page_and_the_extension_speak_the_same_languages() -> None:
    source = (UI / "translator.js").read_text("utf-8")
    found = re.search(r"export const LANGUAGES = (\[.*?\]);", source, re.DOTALL)
    assert found
    assert sorted(re.findall(r'"([\w-]+)"', found[1])) == sorted(LANGUAGES)
    assert {path.stem for path in UI.glob("*.json")} == set(LANGUAGES) <= NAMES.keys()


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("es-419", "es"),
        ("de-AT", "de"),
        ("en-GB", "en"),
        ("xx fr-CA ko", "fr"),
        ("xx * yy-ZZ", "en"),
        ("", "en"),
    ],
)
def test_a_neighbours_language_is_understood(tags: str, language: str) -> None:
    assert match_language(tags.split(), list(NAMES)) == language


def test_chinese_in_the_other_writing_is_no_chinese() -> None:
    assert match_language(["zh-TW", "ko"], ["en", "ko", "zh-Hans"]) == "ko"


@pytest.mark.parametrize(
    ("path", "accept", "language"),
    [
        ("/", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("/", "xx, ko;q=0.5", "ko"),
        ("/", "ko;q=0, en", "en"),
        ("/", "xx", "en"),
        ("/", "", "en"),
        ("/?lang=ko", "en", "ko"),
        ("/?lang=ko-KR", "en", "ko"),
        ("/?lang=<b>", "ko", "ko"),
    ],
)
def test_the_language_is_the_browsers_unless_another_is_asked_for(
    client: FlaskClient, path: str, accept: str, language: str
) -> None:
    page = client.get(path, headers={"Accept-Language": accept}).text
    assert f'<html lang="{language}" ' in page


# The address in the commands


@pytest.mark.parametrize(
    "host", ["saver.example", "www.saver.example:8443", "127.0.0.1:8000", "[::1]:8000", "localhost"]
)
def test_the_address_is_the_one_that_was_asked(client: FlaskClient, host: str) -> None:
    assert addresses(client, Host=host) == {f"http://{host}/"}


@pytest.mark.parametrize(
    "host",
    [
        '"><script>alert(1)</script>',
        "a.example;reboot",
        "a.example/path",
        "user@a.example",
        "$(reboot)",
        "a b",
        "-o.example",
        "a.example:80:80",
        "ä.example",
    ],
)
def test_what_is_no_name_of_a_host_is_not_repeated(client: FlaskClient, host: str) -> None:
    page = client.get("/", environ_overrides={"HTTP_HOST": host.encode().decode("latin-1")}).text
    assert set(COMMAND.findall(page)) == {"https://…/"}
    assert "reboot" not in page
    assert "alert(1)" not in page


def test_the_host_is_only_in_the_commands(client: FlaskClient) -> None:
    page = client.get("/", headers={"Host": "evil.example"}).text
    assert "evil.example" not in re.sub(r"<noscript>.*?</noscript>", "", page, flags=re.DOTALL)


def test_https_is_believed_of_a_trusted_proxy_only(make_app: Callable[..., Flask]) -> None:
    asked = {"Host": "a.example", "X_Forwarded_Proto": "https"}
    assert addresses(make_app().test_client(), **asked) == {"http://a.example/"}
    trusting = make_app("other", trusted_proxies="127.0.0.1").test_client()
    assert addresses(trusting, **asked) == {"https://a.example/"}
    assert addresses(trusting, **asked | {"X_Forwarded_Proto": "javascript"}) == {"http://a.example/"}


def test_the_address_that_is_set_goes_before(make_app: Callable[..., Flask]) -> None:
    client = make_app(public_url="https://www.example.org/memo/").test_client()
    assert addresses(client, Host="a.example") == {"https://www.example.org/memo/"}
