"""The code: order, parsing, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saver.codes import ALPHABET, LENGTH, SPACE, BadCodeError, Code


def test_the_space_is_all_four_letter_codes_in_order() -> None:
    assert SPACE == 7_311_616
    assert Code.nth(0) == "aaaa"
    assert Code.nth(26) == "aaaA"
    assert Code.nth(SPACE - 1) == "ZZZZ"


@given(st.integers(0, SPACE - 1))
def test_every_place_has_a_code_of_its_own(number: int) -> None:
    code = Code.nth(number)
    back = 0
    for letter in code:
        back = back * len(ALPHABET) + ALPHABET.index(letter)
    assert back == number
    assert len(code) == LENGTH


@pytest.mark.parametrize("given_", ["wUrp", " wUrp ", "\twUrp\r\n", "\u3000wUrp"])
def test_white_space_around_a_code_is_trimmed(given_: str) -> None:
    assert Code.parse(given_) == "wUrp"


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "wUr",
        "wUrpx",
        "wUr1",
        "w rp",
        "wUr-",
        "\uff57\uff35\uff52\uff50",
        "wUr\u0440",
        "wUr\u017f",
        "wUr\0",
        "w\nrp",
    ],
)
def test_anything_else_is_refused_without_repeating_it(given_: str) -> None:
    with pytest.raises(BadCodeError) as refused:
        Code.parse(given_)
    assert str(refused.value) == "must be four letters, a-z or A-Z"
