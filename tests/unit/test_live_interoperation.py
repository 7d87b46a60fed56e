"""Python and JavaScript agree with the same letters and never with others; tests/system has many more."""

from __future__ import annotations

from random import Random

from tests.support.live_exchanges import run


def test_python_and_javascript_agree() -> None:
    assert run(100, Random(15)) == {
        "python_makes, agree": 40,
        "python_makes, never agree": 10,
        "node_makes, agree": 40,
        "node_makes, never agree": 10,
    }
