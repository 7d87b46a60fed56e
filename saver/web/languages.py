"""The languages of the page, and which of them a visitor gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from saver.installation import EXTENSION

# Each in that language. A language is available as soon as it has a file with messages.
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
# The script of Chinese, which browsers also name by the region.
_TRADITIONAL = frozenset(("tw", "hk", "mo", "hant"))

Catalogue = dict[str, str]


def match_language(tags: Iterable[str], available: Sequence[str] = LANGUAGES) -> str:
    """The available language for the first of these tags (BCP 47) that has one."""
    by_tag = {code.lower(): code for code in available}
    matches = (_match_tag(tag.lower(), by_tag) for tag in tags)
    return next(filter(None, matches), DEFAULT)


def _match_tag(tag: str, by_tag: Mapping[str, str]) -> str | None:
    first, *subtags = tag.split("-")
    if first == "zh":
        return by_tag.get("zh-hans" if _TRADITIONAL.isdisjoint(subtags) else "zh-hant")
    # Another region's variety will do: es-419 gets Spanish, pt-PT Brazilian Portuguese.
    related = (code for known, code in by_tag.items() if known.partition("-")[0] == first)
    return by_tag.get(tag) or next(related, None)


@cache
def catalogue(language: str) -> Catalogue:
    """The messages of a language."""
    messages: Catalogue = json.loads((_CATALOGUES / f"{language}.json").read_text("utf-8"))
    return messages
