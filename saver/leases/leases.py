"""The deeds: save, load, delete, sweep, fill, audit. Each is one transaction."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import NamedTuple

from sqlalchemy import Connection, Engine, bindparam, case, insert, null, select, update
from sqlalchemy.exc import OperationalError

from saver import seal
from saver.codes import Code
from saver.leases import pool, sweep
from saver.leases.draw import Draw
from saver.leases.sweep import Swept, live
from saver.models import text
from saver.seal import Deriver, Keys, Seal
from saver.statements import Read, Statement
from saver.writer import StorageError, Writer

Clock = Callable[[], float]

_OWNER_TOKEN_BYTES = 16
_NO_HASH = bytes(32)


class _Live(NamedTuple):
    seal: str | None
    proof_hash: bytes | None
    expires_at: int
    body: str


_insert = insert(text)
# The body of a sealed text is fetched only after the proof: reading it would
# take longer the larger it is, and so tell that there is one.
_find = select(
    text.c.seal,
    text.c.proof_hash,
    text.c.expires_at,
    case((text.c.proof_hash.is_(None), text.c.body), else_=null()).label("body"),
).where(text.c.code == bindparam("code"), live)
_find_body = select(text.c.body).where(text.c.code == bindparam("code"), live)
_find_owner = select(text.c.owner_hash, live.label("live")).where(text.c.code == bindparam("code"))
_end = (
    update(text)
    .where(text.c.code == bindparam("wanted"))
    .values(
        body=null(),
        seal=null(),
        proof_hash=null(),
        expires_at=bindparam("now"),
        free_at=bindparam("rested"),
    )
)


class NoTextError(Exception):
    """There is nothing for this caller under this code; never says why.

    ``seal`` holds the parameters to derive a proof with: those of the text where
    it is sealed, otherwise a decoy that is always the same for the same code.
    """

    def __init__(self, seal: Seal) -> None:
        super().__init__("no text")
        self.seal = seal


@dataclass(frozen=True, slots=True)
class Lease:
    """A text that was saved. ``expires_at`` is in UTC seconds."""

    code: Code
    expires_at: int
    owner_token: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A text that was found. ``expires_at`` is in UTC seconds."""

    text: str
    expires_at: int


class Leases:
    """What can be done with codes and texts.

    ``clock`` tells UTC seconds, ``random`` must be a CSPRNG outside of tests,
    ``secret`` keys the decoys, ``rest`` is in seconds. Every deed raises
    StorageError where the database cannot do it now.
    """

    def __init__(  # noqa: PLR0913 - the seams of the core
        self, engine: Engine, deriver: Deriver, *, clock: Clock, random: Random, secret: bytes, rest: int
    ) -> None:
        self._engine = engine
        self._draw = Draw(engine, random)
        self._insert = Statement(engine, _insert)
        self._find = Read(engine, _find)
        self._find_body = Read(engine, _find_body)
        self._writer = Writer(engine)
        self._deriver = deriver
        self._clock = clock
        self._random = random
        self._secret = secret
        self._rest = rest

    def save(self, body: str, lifetime: int, password: str | None = None) -> Lease:
        """Lease a code for a text that lives ``lifetime`` seconds, sealed if a password is given.

        Raises PoolEmptyError, and BusyError while too many passwords are being derived.
        """
        keys, header = None, None
        if password is not None:
            params = Seal(self._random.randbytes(seal.SALT_BYTES))
            keys, header = self._deriver.derive(password, params), params.protected()
            body = seal.close(body, params, keys, self._random.randbytes(seal.NONCE_BYTES))
        owner_token = seal.encode(self._random.randbytes(_OWNER_TOKEN_BYTES))
        expires_at = math.ceil(self._clock()) + lifetime
        row = {
            "body": body,
            "seal": header,
            "proof_hash": seal.hash_proof(keys.proof) if keys else None,
            "owner_hash": _hash_token(owner_token),
            "expires_at": expires_at,
            "free_at": expires_at + self._rest,
        }

        def lease(connection: Connection) -> Code:
            code = self._draw(connection)
            self._insert.run(connection, {"code": code, **row})
            return code

        return Lease(self._writer.run(lease), expires_at, owner_token)

    def load(self, code: Code, password: str | None = None) -> Loaded:
        """The text under a code, opened with the password where it is sealed.

        Takes as long whether there is a text or not: one read, and one derivation
        if a password is given. Raises NoTextError, and BusyError while too many
        passwords are being derived.
        """
        found = self._read_live(code)
        if password is None and found and found.proof_hash is None:
            return Loaded(found.body, found.expires_at)
        params = self._seal_of(code, found)
        if password is None:
            raise NoTextError(params)
        keys = self._deriver.derive(password, params)
        if found is None or not _opens(keys, found):
            raise NoTextError(params)
        return Loaded(self._opened(code, found, keys, params), found.expires_at)

    def delete(self, code: Code, owner_token: str) -> None:
        """End a text now; its code rests. Once more is no error. Raises NoTextError."""
        owner_hash = _hash_token(owner_token)

        def end(connection: Connection) -> bool:
            found = connection.execute(_find_owner, {"code": code, "now": self._now()}).one_or_none()
            owned = hmac.compare_digest(owner_hash, found.owner_hash if found else _NO_HASH)
            if found and owned and found.live:
                self._end(connection, code)
            return bool(found and owned)

        if not self._writer.run(end):
            raise NoTextError(self._seal_of(code, self._read_live(code)))

    def remove(self, code: Code) -> bool:
        """End a text by order of the operator; whether there was one."""

        def end(connection: Connection) -> bool:
            found = connection.execute(_find_owner, {"code": code, "now": self._now()}).one_or_none()
            if found and found.live:
                self._end(connection, code)
            return bool(found and found.live)

        return self._writer.run(end)

    def sweep(self, most: int) -> Swept:
        """One batch: wipe at most ``most`` expired texts, give back at most ``most`` rested codes."""
        return self._writer.run(lambda connection: sweep.sweep(connection, self._now(), most))

    def fill(self) -> Iterator[pool.Filled]:
        """Add every code that is nowhere yet, one first letter at a time.

        Each step is a transaction of its own, so a fill that was killed goes on
        where it stopped, and one that is not needed only counts.
        """
        for letter in pool.LETTERS:
            added = self._writer.run(partial(pool.fill_letter, letter=letter))
            yield pool.Filled(letter, added)

    def audit(self) -> pool.Audit:
        """Count where the codes are, in one snapshot."""
        try:
            with self._engine.connect() as connection:
                return pool.count(connection, self._now())
        except OperationalError as error:
            raise StorageError(type(error).__name__) from None

    def _now(self) -> int:
        return math.floor(self._clock())

    def _end(self, connection: Connection, code: Code) -> None:
        now = self._now()
        connection.execute(_end, {"wanted": code, "now": now, "rested": now + self._rest})

    def _read_live(self, code: Code) -> _Live | None:
        row = self._find.one({"code": code, "now": self._now()})
        return _Live(*row) if row else None

    def _opened(self, code: Code, found: _Live, keys: Keys, params: Seal) -> str:
        if found.proof_hash is None:
            return found.body
        row = self._find_body.one({"code": code, "now": self._now()})
        if row is None:
            raise NoTextError(params)
        return seal.unseal(row[0], keys.key)

    def _seal_of(self, code: Code, found: _Live | None) -> Seal:
        # Both are made and one is read, so that neither case is quicker.
        decoy = self._decoy(code).protected()
        return Seal.from_protected(found.seal if found and found.seal else decoy)

    def _decoy(self, code: Code) -> Seal:
        salt = hmac.digest(self._secret, b"decoy salt " + code.encode(), hashlib.sha256)
        return Seal(salt[: seal.SALT_BYTES])


def _opens(keys: Keys, found: _Live) -> bool:
    shown = seal.hash_proof(keys.proof)
    return hmac.compare_digest(shown, found.proof_hash or _NO_HASH) or found.proof_hash is None


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
