"""Every word of the page is in the visitor's language, and every message is used."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from saver.web.languages import NAMES
from tests.e2e.page.helpers import MESSAGES
from tests.support.browser import LOCALES, Visit, Visiting
from tests.support.server import ROOT

FOLDERS = {
    "web": ROOT / "saver" / "web",
    "core": ROOT / "extension" / "core",
    "ui": ROOT / "extension" / "ui",
    "vendor": ROOT / "extension" / "vendor",
}
# Messages that only the extension shows are in these folders.
EXTENSION = [ROOT / "extension", ROOT / "extension" / "browser"]
SAID = """() => [
    ["i18n", "textContent"], ["i18nLabel", "ariaLabel"], ["i18nPlaceholder", "placeholder"],
].flatMap(([name, shown]) => [...document.querySelectorAll("*")].filter((each) => each.dataset?.[name])
        .map((each) => [each.dataset[name], each[shown]]))"""


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("script", [True, False])
def test_every_word_is_in_the_visitors_language(visit: Visiting, language: str, script: bool) -> None:
    visitor = visit(language, java_script_enabled=script)
    visitor.page.goto(visitor.url)
    expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    expect(visitor.page).to_have_title(MESSAGES[language]["title"])
    _expect_all_said(visitor, language)


def test_the_switch_changes_every_word_and_keeps_what_is_typed(visit: Visiting) -> None:
    visitor = visit("en").open()
    visitor.load("wUrp")
    visitor.part("text").fill("my draft")
    expect(visitor.part("load-alert")).to_have_text(MESSAGES["en"]["no_text"])
    visitor.part("language").select_option("한국어")
    expect(visitor.part("load-alert")).to_have_text(MESSAGES["ko"]["no_text"])
    expect(visitor.part("text")).to_have_value("my draft")
    expect(visitor.part("options-summary")).to_have_text("10분 보관 · 비밀번호 없음")
    visitor.options()
    expect(visitor.page.locator(".choices label")).to_have_text(
        ["10분", "1시간", "3시간", "24시간", "7일", "30일"]
    )
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ko")
    expect(visitor.part("language")).to_have_value("ko")
    expect(visitor.page).to_have_title(MESSAGES["ko"]["title"])
    _expect_all_said(visitor, "ko")
    visitor.page.reload()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ko")


@pytest.mark.parametrize("language", NAMES)
def test_the_catalogues_have_the_same_messages(language: str) -> None:
    english = MESSAGES["en"]
    messages = json.loads((FOLDERS["ui"] / f"{language}.json").read_text("utf-8"))
    # A language may have plural forms for few and for many.
    english_key = {key: key if key in english else re.sub("_(few|many)$", "_other", key) for key in messages}
    assert [key for key in messages if key == english_key[key]] == list(english)
    for key, message in messages.items():
        assert message.strip(), key
        of_english = english[english_key[key]]
        assert sorted(re.findall(r"{\w+}", message)) == sorted(re.findall(r"{\w+}", of_english)), key


# The program adds these suffixes to names of messages.
_FORM = re.compile("_(one|few|many|other|once|confirm)$")


def test_every_message_is_used() -> None:
    folders = [*FOLDERS.values(), *EXTENSION]
    sources = [file.read_text("utf-8") for folder in folders for file in folder.glob("*.[jh][st]*")]
    code = "\n".join(source for source in sources if not source.startswith("{"))
    unused = [
        key for key in MESSAGES["en"] if not re.search(rf"[\"'`]({key}|{_FORM.sub('', key)})[\"'`$]", code)
    ]
    assert unused == []


def _expect_all_said(visitor: Visit, language: str) -> None:
    said = visitor.page.evaluate(SAID)
    assert len(said) > 20
    for key, text in said:
        assert "{" in MESSAGES[language][key] or text == MESSAGES[language][key], key
