"""What a service records of a transfer is no help against the letters; a client that leaks is found."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from random import Random

from saver.codes import SPACE, Code
from saver.live_transfer import exchange
from saver.live_transfer.exchange import Secret
from tests.support.live_recorder import found, record
from tests.support.live_service import SERVICE

GUESSES = [Code.nth(number) for number in Random(15).sample(range(SPACE), 100)]


def test_nothing_that_was_recorded_depends_on_the_letters_alone() -> None:
    recording, letters = record(15)
    assert len(recording.strings) > 20
    assert not found([letters, *GUESSES], recording, is_deep=True)


def test_a_client_that_sends_a_hash_of_the_letters_is_found() -> None:
    recording, letters = record(15)
    leaking = replace(recording, strings=recording.strings | {sha256(letters.encode()).digest()})
    assert found([*GUESSES, letters], leaking, is_deep=False) == [letters]


def test_a_client_whose_scalar_is_known_is_found() -> None:
    recording, letters = record(15)
    secret = Secret(letters, SERVICE, 7, "sender")
    weak = exchange.Joiner.answer(secret, recording.session, recording.share_a, b"\xff" * 32)
    leaking = replace(recording, strings=recording.strings | {weak.agreement.tag})
    assert found([*GUESSES, letters], leaking, is_deep=True) == [letters]
