"""A password made of easy words: drawn at random, and read in any spelling. As extension/core/phrase.js."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from random import Random

from saver.installation import EXTENSION

WORD_COUNT = 5
_WORDS = EXTENSION / "vendor" / "eff-short-wordlist-1.txt"


def words() -> list[str]:
    """The list that phrases are made of."""
    return _WORDS.read_text("ascii").split()


def make_phrase(random: Random) -> str:
    """Draw a phrase. ``random``: a CSPRNG."""
    return " ".join(random.choices(words(), k=WORD_COUNT))


def normalize(password: str) -> str:
    """Return the phrase that another spelling of it means; anything else as it is."""
    parts = _split(password)
    if not WORD_COUNT <= len(parts) <= 2 * WORD_COUNT:
        return password
    found = _joined(parts, set(words()))
    return " ".join(found) if len(found) == WORD_COUNT else password


def _split(password: str) -> list[str]:
    kept = [
        character
        for character in unicodedata.normalize("NFKC", password)
        if unicodedata.category(character) != "Cf"
    ]
    separated = "".join(" " if unicodedata.category(each) == "Pd" else each for each in kept)
    return re.sub(r"[\s_.,]+", " ", separated.lower()).split()


def _joined(parts: Sequence[str], known: set[str]) -> list[str]:
    """The words of the list; "yo-yo" was split at its hyphen. Empty if a part belongs to none."""
    found: list[str] = []
    rest = list(parts)
    while rest:
        pair = "-".join(rest[:2])
        if rest[0] in known:
            found.append(rest.pop(0))
        elif pair in known:
            found.append(pair)
            del rest[:2]
        else:
            return []
    return found
