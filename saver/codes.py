"""The code: four letters that name a text.

Case matters; the order of the alphabet is a-z then A-Z, so codes run from
``aaaa`` to ``ZZZZ`` and there are 52^4 = 7,311,616 of them.
"""

from __future__ import annotations

import re
import string
import unicodedata
from random import Random

ALPHABET = string.ascii_lowercase + string.ascii_uppercase
LENGTH = 4
SPACE = len(ALPHABET) ** LENGTH

# Half a code in every form.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
# Every letter stands for four values of a random byte. The other 48 values are dropped, because with
# them some letters would stand for five.
_LETTER_OF = (ALPHABET * 5)[:256].encode()
_DROPPED = bytes(range(len(ALPHABET) * 4, 256))
_SHAPE = re.compile(f"[a-zA-Z]{{{LENGTH}}}")
# As keyboards in Asia type them. Letters that only look alike, such as Cyrillic ones, are others.
_FULL_WIDTH = {ord(letter) + 0xFEE0: letter for letter in ALPHABET}


class BadCodeError(ValueError):
    """What was given is not four ASCII letters. Says the rule, never the input."""

    def __init__(self) -> None:
        super().__init__("must be four letters, a-z or A-Z")


class Code(str):
    """Four ASCII letters; one that exists is valid."""

    __slots__ = ()

    @classmethod
    def parse(cls, given: str) -> Code:
        """Read a code as a person hands it over: full-width letters count as their ASCII letters,
        and white space and invisible characters around it are dropped.

        Raises BadCodeError for anything else that is not four ASCII letters.
        """
        if _SHAPE.fullmatch(given):
            return cls(given)
        letters = given.translate(_FULL_WIDTH)
        found = _SHAPE.search(letters)
        if not found or not all(map(_is_invisible, letters[: found.start()] + letters[found.end() :])):
            raise BadCodeError
        return cls(found[0])

    @classmethod
    def nth(cls, number: int) -> Code:
        """The code at a place in the order, 0 (``aaaa``) to SPACE - 1 (``ZZZZ``)."""
        first, last = divmod(number, len(_PAIRS))
        return cls(_PAIRS[first] + _PAIRS[last])


def random_codes(random: Random, number: int) -> list[str]:
    """Return ``number`` random codes: each letter is equally likely and independent of the others.

    As plain strings, since most of them are only looked up.
    """
    letters = ""
    while (missing := number * LENGTH - len(letters)) > 0:
        # One call for all of them: a CSPRNG that is asked for each takes ten times as long.
        drawn = random.randbytes(missing * 5 // 4 + 8)
        letters += drawn.translate(_LETTER_OF, _DROPPED).decode()
    return [letters[start : start + LENGTH] for start in range(0, number * LENGTH, LENGTH)]


def _is_invisible(character: str) -> bool:
    # Cf: byte order mark, zero-width space, marks of direction, soft hyphen.
    return character.isspace() or unicodedata.category(character) == "Cf"
