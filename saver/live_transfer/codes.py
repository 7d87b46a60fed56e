"""Live codes: the number of a meeting and four letters that never leave the two computers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from saver.codes import BadCodeError, Code, random_codes

_SHAPE = re.compile(r"(?P<number>[1-9][0-9]{0,3})(?![0-9])(?P<letters>.*)", re.DOTALL)


class BadLiveCodeError(ValueError):
    """What was given is not a live code. Says the rule, never the input."""

    def __init__(self) -> None:
        super().__init__("must be a number from 1 to 9999 and four letters, a-z or A-Z")


@dataclass(frozen=True, slots=True)
class LiveCode:
    """A number from 1 to 9999 and four letters."""

    number: int
    letters: Code

    @classmethod
    def parse(cls, given: str) -> LiveCode:
        """Read a live code; white space and punctuation around its parts, and full-width forms, are allowed.

        Raises BadLiveCodeError.
        """
        found = _SHAPE.fullmatch(_without_edges(unicodedata.normalize("NFKC", given)))
        if not found:
            raise BadLiveCodeError
        try:
            return cls(int(found["number"]), Code.parse(_without_edges(found["letters"])))
        except BadCodeError:
            raise BadLiveCodeError from None

    def __str__(self) -> str:
        return f"{self.number} {self.letters}"


def draw_letters(random: Random) -> Code:
    """Draw four letters. ``random`` must be a CSPRNG, such as ``random.SystemRandom``."""
    return Code(random_codes(random, 1)[0])


def _without_edges(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_edge(text[start]):
        start += 1
    while end > start and _is_edge(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_edge(character: str) -> bool:
    return (
        character.isspace()
        or unicodedata.category(character)[0] == "P"
        or unicodedata.category(character) == "Cf"
    )
