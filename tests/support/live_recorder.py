"""Trying letters offline against all that a service has seen of one transfer.

``python -m tests.support.live_recorder [number]``

For each of the letters it calculates what depends on them alone, or on them and what was recorded, and
looks for it in the recorded bytes: with ``shallow`` only hashes, else also the generator, shares and tags
of scalars that a broken client could use, and what follows from them. It cannot prove that nothing can be
found, which is the proof of CPace; it finds a client that sends such a value.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import md5, sha1, sha256, sha512
from random import Random

from saver import seal
from saver.codes import SPACE, Code
from saver.live_transfer import exchange
from saver.live_transfer.cpace import BadShareError, multiply
from saver.live_transfer.exchange import Secret
from tests.support.live_service import SERVICE, LiveService, Pair

# Scalars of a client whose random source is broken.
_WEAK = (bytes(32), b"\xff" * 32, bytes(range(32)), b"\1" + bytes(31))
_HASHES = (md5, sha1, sha256, sha512)


@dataclass(frozen=True)
class Recording:
    """What a service has seen: every string of every message, also decoded from base64url."""

    strings: frozenset[bytes]
    session: bytes
    share_a: bytes

    @classmethod
    def of(cls, service: LiveService) -> Recording:
        """The recording of one transfer."""
        offer = service.offer or {}
        found = frozenset(_strings([service.requests, [answer.body for answer in service.answers]]))
        return cls(found, seal.decode(offer["session"]), seal.decode(offer["share"]))

    def without(self, other: Recording) -> Recording:
        """The recording without what is in that of another transfer too, such as the word ``load``."""
        return replace(self, strings=self.strings - other.strings)


def shallow(letters: bytes, recording: Recording) -> Iterator[bytes]:
    """Hashes of the letters, alone and with the session."""
    yield letters
    for name in _HASHES:
        yield name(letters).digest()
    yield sha256(letters + recording.session).digest()
    yield sha256(recording.session + letters).digest()
    yield hmac.digest(letters, recording.session, "sha256")
    yield hmac.digest(letters, recording.share_a, "sha512")


def deep(letters: bytes, recording: Recording) -> Iterator[bytes]:
    """What somebody can calculate from a guess and a recording, without a scalar of the two."""
    secret = Secret(letters.decode(), SERVICE, 7, "sender")
    yield secret.generator(recording.session)
    for scalar in _WEAK:
        yield multiply(scalar, secret.generator(recording.session))
        try:
            joiner = exchange.Joiner.answer(secret, recording.session, recording.share_a, scalar)
        except BadShareError:
            continue
        keys = joiner.agreement.keys
        yield from (joiner.share, joiner.agreement.tag, joiner.agreement.expected, keys.key, keys.proof)


def found(guesses: Iterable[str], recording: Recording, *, is_deep: bool) -> list[str]:
    """The letters that something in the recording depends on."""
    return [
        letters
        for letters in guesses
        if not recording.strings.isdisjoint(shallow(letters.encode(), recording))
        or (is_deep and not recording.strings.isdisjoint(deep(letters.encode(), recording)))
    ]


def record(seed: int) -> tuple[Recording, str]:
    """A transfer that was recorded, and its letters."""
    service = LiveService()
    pair = Pair(service, seed=seed)
    assert "the text" in pair.transfer("the text")
    return Recording.of(service), pair.maker.live_code.letters


def _strings(value: object) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        yield from _strings([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        for part in (value, *value.split(".")):
            yield part.encode()
            try:
                yield seal.decode(part)
            except ValueError:
                continue


if __name__ == "__main__":
    seed = Random().randrange(1_000_000)
    (recorded, right), (other, _) = record(seed), record(seed + 1)
    recorded = recorded.without(other)
    sample = int(sys.argv[1]) if sys.argv[1:] else SPACE
    everything = map(Code.nth, range(SPACE))
    sys.stdout.write(f"the right letters: {right}\n")
    sys.stdout.write(f"hashes of all letters: {found(everything, recorded, is_deep=False)}\n")
    drawn = [right, *(Code.nth(n) for n in Random(15).sample(range(SPACE), sample))]
    sys.stdout.write(f"calculations with {sample} letters: {found(drawn, recorded, is_deep=True)}\n")
