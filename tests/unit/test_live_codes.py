"""Live codes: what is read as one, and that all letters are drawn."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from saver.codes import ALPHABET
from saver.live_transfer.codes import BadLiveCodeError, LiveCode, draw_letters


@pytest.mark.parametrize(
    "given",
    [
        "7 wUrp",
        "7wUrp",
        " 7  wUrp\n",
        "7-wUrp",
        "7: wUrp.",
        "(7) “wUrp”",
        "\uff17\u3000\uff57\uff35\uff52\uff50",
        "\u200e7\u00a0wUrp\ufeff",
    ],
)
def test_a_live_code_is_read(given: str) -> None:
    code = LiveCode.parse(given)
    assert code == LiveCode.parse("7 wUrp")
    assert (code.number, code.letters, str(code)) == (7, "wUrp", "7 wUrp")


@pytest.mark.parametrize("number", ["1", "42", "9999"])
def test_a_number_has_one_to_four_digits(number: str) -> None:
    assert str(LiveCode.parse(f"{number}ZZZZ")) == f"{number} ZZZZ"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "7",
        "wUrp",
        "0 wUrp",
        "07 wUrp",
        "12345 wUrp",
        "7 wUr",
        "7 wUrpx",
        "7 wUrp 8",
        "-7x wUrp",
        "7 wÜrp",
        "\u0667 wUrp",
        "7+wUrp",
    ],
)
def test_anything_else_is_refused_without_saying_what_it_was(given: str) -> None:
    with pytest.raises(BadLiveCodeError) as refused:
        LiveCode.parse(given)
    assert str(refused.value) == "must be a number from 1 to 9999 and four letters, a-z or A-Z"


def test_every_letter_is_drawn_as_often() -> None:
    random = Random(15)
    letters = Counter("".join(draw_letters(random) for _ in range(26_000)))
    assert sorted(letters) == sorted(ALPHABET)
    # 2,000 each; six standard deviations.
    assert all(1_730 < number < 2_270 for number in letters.values())
