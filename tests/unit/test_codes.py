"""Codes: their order, parsing, what is refused, and random ones."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saver.codes import ALPHABET, LENGTH, SPACE, BadCodeError, Code, random_codes


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


@pytest.mark.parametrize(
    "given_",
    [
        "wUrp",
        " wUrp ",
        "\twUrp\r\n",
        "\u3000wUrp",
        "\xa0wUrp",
        "\ufeffwUrp",
        "wUrp\u200b",
        "\u200e\u202awUrp\u202c\u200f",
        "\xadwUrp\xad\n",
        "\uff57\uff35\uff52\uff50",
        "w\uff35rp",
    ],
)
def test_what_cannot_be_seen_around_a_code_and_the_width_of_its_letters_do_not_matter(given_: str) -> None:
    assert Code.parse(given_) == "wUrp"


# Letters, what is taken for them, what looks like them, and what cannot be seen.
_CONFUSING = "wUrp\uff57\uff35\u0441\u0420\u0421\u212a\u017f\u24e6 \u200b\ufeff\xad1"


@settings(max_examples=1_000)
@given(st.text(alphabet=_CONFUSING, min_size=4, max_size=6))
def test_a_code_has_all_letters_of_what_was_given_and_no_other(given_: str) -> None:
    try:
        code = Code.parse(given_)
    except BadCodeError:
        return
    seen = given_.replace("\uff57", "w").replace("\uff35", "U")
    assert "".join(letter for letter in seen if letter.isalpha()) == code


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "wUr",
        "wUrpx",
        "wUr1",
        "w rp",
        "wUr-",
        "\u0410\u0412\u0421\u0415",
        "w\u200bUrp",
        "\uff11Urp",
        "\u24e6Urp",
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


class CountingRandom(Random):
    """Every byte equally often, in order, with the number of calls."""

    calls = 0

    def randbytes(self, n: int) -> bytes:
        self.calls += 1
        return bytes(range(256)) * (n // 256 + 1)


def test_each_letter_of_a_random_code_stands_for_as_many_random_bytes() -> None:
    # 208 of 256 bytes are letters, so these are the letters of the first 52 codes, and again.
    codes = random_codes(CountingRandom(), 520)
    letters = Counter("".join(codes))
    assert letters == dict.fromkeys(ALPHABET, 40)
    assert "".join(codes[:13]) == ALPHABET


@pytest.mark.parametrize("number", [1, 2, 256, 1_024])
def test_random_codes_are_as_many_as_wanted_and_take_few_calls(number: int) -> None:
    for seed in range(200):
        codes = random_codes(Random(seed), number)
        assert len(codes) == number
        assert all(Code.parse(code) == code for code in codes)
    random = CountingRandom()
    random_codes(random, number)
    assert random.calls == 1


def test_random_codes_need_more_bytes_if_too_many_are_dropped() -> None:
    class Unlucky(Random):
        def randbytes(self, n: int) -> bytes:
            return bytes([255] * (n - 1) + [1])

    assert random_codes(Unlucky(), 2) == ["bbbb", "bbbb"]
