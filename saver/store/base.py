"""What the classes of this package share: the database, the clock, the cool-down and the not-found error."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from saver import seal
from saver.at_rest import Keyring
from saver.clock import Clock
from saver.codes import SPACE, Code
from saver.database import Database, run_read
from saver.database.disk import Disk
from saver.key_deriver import KeyDeriver
from saver.receipts import Receipts
from saver.seal import Seal

T = TypeVar("T")
# No secret has this hash.
NO_HASH = bytes(32)


class NoTextError(Exception):
    """There is nothing for this caller under this code; never says why.

    ``seal`` holds the parameters to derive a proof with: those of the text if it is
    sealed, otherwise a decoy that is always the same for the same code.
    """

    def __init__(self, seal: Seal) -> None:
        super().__init__("no text")
        self.seal = seal


@dataclass(frozen=True, slots=True)
class Store:
    """What texts are stored with.

    ``clock`` returns UTC seconds, ``random`` must be a CSPRNG outside of tests,
    ``secret`` keys decoys and the owner tokens of repeated writes, ``keyring`` encrypts what is stored,
    ``cool_down`` is in seconds, ``max_bytes`` is how many bytes all live texts may have together
    (0: no limit), and ``pool_size`` is how many codes there are: fewer only in tests, which have the
    first ones.
    """

    database: Database
    deriver: KeyDeriver
    receipts: Receipts
    clock: Clock
    random: Random
    secret: bytes
    keyring: Keyring
    cool_down: int
    disk: Disk
    max_bytes: int = 0
    pool_size: int = SPACE

    def now(self) -> int:
        """Return the current UTC second."""
        return math.floor(self.clock())

    def reusable_at(self, expires_at: float) -> int:
        """Return when the code of a text that ends at ``expires_at`` may be leased again (UTC seconds)."""
        return math.ceil(expires_at) + self.cool_down

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction, see ``Writer.run``. Raises StorageError."""
        return self.database.writer.run(work)

    def read(self, work: Callable[[Connection], T], *, no_timeout: bool = False) -> T:
        """Run work that is one SELECT. Raises StorageError."""
        return run_read(self.database, work, no_timeout=no_timeout)

    def not_found(self, code: Code, protected: str | None) -> NoTextError:
        """Return the error for a code; ``protected`` is the header of the sealed text, if there is one."""
        return NoTextError(self.seal_of(code, protected))

    def seal_of(self, code: Code, protected: str | None) -> Seal:
        """Return the parameters in a protected header, or the decoy of the code.

        No password opens a text of a live transfer, so it has a decoy too.
        """
        # Both are made and one is parsed, so that neither case is faster.
        decoy = self._decoy(code).protected()
        shown = None if protected == seal.LIVE_HEADER else protected
        return Seal.from_protected(shown or decoy)

    def _decoy(self, code: Code) -> Seal:
        salt = hmac.digest(self.secret, b"decoy salt " + code.encode(), hashlib.sha256)
        return Seal(salt[: seal.SALT_BYTES], seal.ITERATIONS)


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a token or claim: these are random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
