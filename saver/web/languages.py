"""The languages that the page speaks, and which of them a visitor gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from saver.web.files import EXTENSION

# Each in its own words. A language is spoken as soon as it has a file with messages.
NAMES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ja": "日本語",
    "ko": "한국어",
    "pt-BR": "Português (Brasil)",
    "ru": "Русский",
    "vi": "Tiếng Việt",
    "zh-Hans": "简体中文",
    "zh-Hant": "繁體中文",
}
_CATALOGUES = EXTENSION / "ui"
LANGUAGES = tuple(code for code in NAMES if (_CATALOGUES / f"{code}.json").exists())
DEFAULT = "en"
# Chinese is told apart by its writing, which browsers name by the place.
_TRADITIONAL = frozenset(("tw", "hk", "mo", "hant"))

Catalogue = dict[str, str]


def language_of(tags: Iterable[str], spoken: Sequence[str] = LANGUAGES) -> str:
    """The language for the first of these tags (BCP 47) that one is spoken for."""
    by_tag = {code.lower(): code for code in spoken}
    matches = (_language_of(tag.lower(), by_tag) for tag in tags)
    return next(filter(None, matches), DEFAULT)


def _language_of(tag: str, by_tag: Mapping[str, str]) -> str | None:
    first, *more = tag.split("-")
    if first == "zh":
        return by_tag.get("zh-hans" if _TRADITIONAL.isdisjoint(more) else "zh-hant")
    # A neighbour's variety is understood: es-419 gets Spanish, pt-PT what is spoken in Brazil.
    related = (code for known, code in by_tag.items() if known.partition("-")[0] == first)
    return by_tag.get(tag) or next(related, None)


@cache
def catalogue(language: str) -> Catalogue:
    """The messages of a language."""
    messages: Catalogue = json.loads((_CATALOGUES / f"{language}.json").read_text("utf-8"))
    return messages
