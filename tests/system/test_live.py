"""Live transfers in large numbers: both implementations together, and a service that guesses."""

from __future__ import annotations

from random import SystemRandom

from tests.support.live_attacks import attack_joiner, attack_maker
from tests.support.live_exchanges import run

RUNS = 10_000
# The chance that a right implementation fails here is 40,000 in 7,311,616: half a per cent.
MAX_HITS = 1


def test_python_and_javascript_agree_in_both_directions() -> None:
    assert run(RUNS, SystemRandom()) == {
        "python_makes, agree": RUNS * 2 // 5,
        "python_makes, never agree": RUNS // 10,
        "node_makes, agree": RUNS * 2 // 5,
        "node_makes, never agree": RUNS // 10,
    }


def test_a_service_in_the_middle_guesses_in_vain() -> None:
    random = SystemRandom()
    makers = [attack_maker(random) for _ in range(RUNS)]
    joiners = [attack_joiner(random) for _ in range(RUNS)]
    assert {middle.tags for middle in makers} <= {1, 2, 3}
    assert {middle.tags for middle in joiners} == {1}
    assert sum(middle.hit for middle in (*makers, *joiners)) <= MAX_HITS
