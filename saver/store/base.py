"""What the deeds share: the seams, the errors, and the seal that a miss shows."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from sqlalchemy import Connection, Engine

from saver import database, seal
from saver.codes import SPACE, Code
from saver.database.disk import Disk
from saver.database.statements import read
from saver.database.writer import writer_for
from saver.key_deriver import KeyDeriver
from saver.receipts import Receipts
from saver.seal import Seal

T = TypeVar("T")
Clock = Callable[[], float]


class NoTextError(Exception):
    """There is nothing for this caller under this code; never says why.

    ``seal`` holds the parameters to derive a proof with: those of the text where
    it is sealed, otherwise a decoy that is always the same for the same code.
    """

    def __init__(self, seal: Seal) -> None:
        super().__init__("no text")
        self.seal = seal


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What leases need from outside.

    ``clock`` tells UTC seconds, ``random`` must be a CSPRNG outside of tests,
    ``secret`` keys decoys and the owner tokens of repeatable writes, ``rest`` is in seconds,
    ``size_in_all`` is how many bytes all live texts may have; 0 means any number. ``pool_size`` is how
    many codes there must be in all.
    """

    engine: Engine
    deriver: KeyDeriver
    receipts: Receipts
    clock: Clock
    random: Random
    secret: bytes
    rest: int
    disk: Disk
    size_in_all: int
    pool_size: int = SPACE


class StoreBase:
    """The common ground of the deeds; each group of them is a class in a file of its own."""

    def __init__(self, seams: Dependencies) -> None:
        self._engine = seams.engine
        self._writer = writer_for(seams.engine)
        self._deriver = seams.deriver
        self._receipts = seams.receipts
        self._clock = seams.clock
        self._random = seams.random
        self._secret = seams.secret
        self._rest = seams.rest
        self.disk = seams.disk
        self._pool_size = seams.pool_size

    def _now(self) -> int:
        return math.floor(self._clock())

    def _not_found(self, code: Code, protected: str | None) -> NoTextError:
        """The error for a code whose text, if there is a sealed one, has this protected header."""
        return NoTextError(self._seal_of(code, protected))

    def _seal_of(self, code: Code, protected: str | None) -> Seal:
        # Both are made and one is read, so that neither case is quicker.
        decoy = self._decoy(code).protected()
        return Seal.from_protected(protected or decoy)

    def _read(self, work: Callable[[Connection], T], *, patient: bool = False) -> T:
        """Do work that is one SELECT. Raises StorageError."""
        return read(self._engine, work, patient=patient)

    def _read_durable(self, work: Callable[[Connection], T]) -> T:
        """Read what an answer will vouch for: on a server not before its standby has it as well.

        The rows are read to be written: that makes the commit wait for them. Raises StorageError.
        """
        return self._writer.run(work) if database.is_server(self._engine) else self._read(work)

    def _decoy(self, code: Code) -> Seal:
        salt = hmac.digest(self._secret, b"decoy salt " + code.encode(), hashlib.sha256)
        return Seal(salt[: seal.SALT_BYTES])


def hash_secret(secret: str) -> bytes:
    """What is kept of a token or claim: these are random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
