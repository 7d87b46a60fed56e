"""A service in the middle that guesses has three tags of a maker and one of a joiner; a right guess shows."""

from __future__ import annotations

from random import Random

from tests.support.live_attacks import attack_joiner, attack_maker

RUNS = 100


def test_a_maker_checks_three_guesses() -> None:
    random = Random(15)
    middles = [attack_maker(random) for _ in range(RUNS)]
    assert [middle.tags for middle in middles] == [3] * RUNS
    assert not any(middle.hit for middle in middles)


def test_a_joiner_sends_one_tag_for_the_same_letters() -> None:
    random = Random(16)
    middles = [attack_joiner(random) for _ in range(RUNS)]
    assert [middle.tags for middle in middles] == [1] * RUNS
    assert not any(middle.hit for middle in middles)


def test_a_right_guess_would_be_seen() -> None:
    maker = attack_maker(Random(17), is_right=True)
    assert (maker.hit, maker.text, maker.tags) == (True, "the text", 1)
    joiner = attack_joiner(Random(18), is_right=True)
    assert (joiner.hit, joiner.tags) == (True, 1)
