"""The code: four letters that name a text.

Case matters; the order of the alphabet is a-z then A-Z, so codes run from
``aaaa`` to ``ZZZZ`` and there are 52^4 = 7,311,616 of them.
"""

from __future__ import annotations

import re
import string
import unicodedata

ALPHABET = string.ascii_lowercase + string.ascii_uppercase
LENGTH = 4
SPACE = len(ALPHABET) ** LENGTH

# Half a code in every form: where most codes are leased, a lease tries a hundred.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
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


def _is_invisible(character: str) -> bool:
    # Cf: byte order mark, zero-width space, marks of direction, soft hyphen.
    return character.isspace() or unicodedata.category(character) == "Cf"
