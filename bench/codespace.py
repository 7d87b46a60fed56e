"""How many texts the codes are enough for: the closed forms, and a simulation of the rules.

A code is taken for the life of its text and the rest after it, so by Little's law
``rate x (life + rest)`` codes are taken on the average. Times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from saver.codes import SPACE
from saver.database import SqliteDatabase

# As a code is allocated on SQLite.
[(_TRIES, _ROUNDS)], _FEW = SqliteDatabase.probe_plan
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Kind:
    """Texts that live the same: their ``share`` of all; of them ``ending`` are deleted ``after`` seconds."""

    share: float
    life: int
    ending: float = 0.0
    after: int = 0

    @property
    def lived(self) -> float:
        """The mean of their lives."""
        return (1 - self.ending) * self.life + self.ending * min(self.after, self.life)


@dataclass(frozen=True, slots=True)
class Service:
    """What is written and what the settings say: ``rate`` is the mean of a day in texts a second.

    Within a day the rate swings by ``swing`` (0.8: from a fifth of the mean to 1.8 of it).
    """

    rate: float
    kinds: tuple[Kind, ...]
    rest: int = DAY
    space: int = SPACE
    swing: float = 0.0

    @property
    def lived(self) -> float:
        """The mean life of a text."""
        return sum(kind.share * kind.lived for kind in self.kinds)

    @property
    def live(self) -> float:
        """How many texts live at a time: those that a guess may hit."""
        return self.rate * self.lived

    @property
    def taken(self) -> float:
        """How many codes are not free."""
        return self.rate * (self.lived + self.rest)

    @property
    def most(self) -> float:
        """The highest rate that the codes carry for ever."""
        return self.space / (self.lived + self.rest)

    @property
    def refused(self) -> float:
        """The part of all writes that finds no code, in the long run."""
        return max(0.0, 1 - self.most / self.rate)


@dataclass(frozen=True, slots=True)
class Seen:
    """One step of a simulation: codes at its end, writes during it."""

    at: int
    free: int
    live: int
    written: int
    refused: int


def simulate(service: Service, seconds: int, random: Random, step: int = MINUTE) -> list[Seen]:
    """Play the rules step by step, from a full pool on.

    Texts come at random (Poisson). Each takes a code, if one is free; the code goes back with the sweep that
    follows the end of its rest. A step stands for the worker's turn: lives and rests are rounded up to it.
    """
    steps = seconds // step
    longest = max(kind.life for kind in service.kinds) + service.rest
    room = steps + longest // step + 3
    ends, returns = [0] * room, [0] * room
    free, live, seen = service.space, 0, []
    for turn in range(steps):
        free += returns[turn]
        live -= ends[turn]
        swing = 1 + service.swing * math.sin(2 * math.pi * turn * step / DAY)
        wanted = _poisson(service.rate * step * swing, random)
        written = min(wanted, free)
        for kind, texts in zip(service.kinds, _divide(written, service.kinds, random), strict=True):
            early = _binomial(texts, kind.ending, random)
            for many, lived in ((texts - early, kind.life), (early, min(kind.after, kind.life))):
                ends[turn + math.ceil(lived / step)] += many
                returns[turn + math.ceil((lived + service.rest) / step)] += many
        free -= written
        live += written
        seen.append(Seen((turn + 1) * step, free, live, written, wanted - written))
    return seen


@dataclass(frozen=True, slots=True)
class Tries:
    """What a draw costs on the average where a part of all codes is free."""

    codes: float  # drawn and looked up
    statements: float  # before the text itself is inserted
    counting: float  # how many draws in one end with counting the free ones


def draw_cost(free: int, space: int = SPACE, few: int = _FEW) -> Tries:
    """The cost of one draw, as ``saver.store.allocate`` does it; ``few`` free ones are counted at once."""
    if free < few:
        return Tries(0, 3, 1)
    miss = 1 - free / space
    none = miss**_TRIES
    rounds = miss * sum(none**turn for turn in range(_ROUNDS))
    counting = miss * none**_ROUNDS
    # The first try; a look-up for each round; then the one that was found is taken, or counted and taken.
    return Tries(1 + rounds * _TRIES, 1 + rounds + miss + 2 * counting, counting)


def guessed(live: float, misses: float, space: int = SPACE) -> float:
    """Strangers' texts that are opened for so many misses, while so many open texts live."""
    return misses * live / (space - live)


def _poisson(mean: float, random: Random) -> int:
    if mean > 50:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def _binomial(many: int, share: float, random: Random) -> int:
    if share in (0.0, 1.0) or many == 0:
        return round(many * share)
    if many < 100:
        return sum(random.random() < share for _ in range(many))
    spread = math.sqrt(many * share * (1 - share))
    return min(many, max(0, round(random.gauss(many * share, spread))))


def _divide(many: int, kinds: Sequence[Kind], random: Random) -> list[int]:
    """How many of the texts are of each kind."""
    left, whole, parts = many, 1.0, []
    for kind in kinds:
        part = left if kind is kinds[-1] else _binomial(left, kind.share / whole, random)
        parts.append(part)
        left, whole = left - part, whole - kind.share
    return parts
