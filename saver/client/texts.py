"""Sending and getting texts: what is sealed and opened here, and how a one-time text reaches one reader.

docs/sealed-text.md and docs/api.md have the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from saver import seal
from saver.client.api import Api, LoadResult, WriteResult
from saver.client.errors import NoTextError, NotSealedError, SaverError, UnexpectedAnswerError
from saver.codes import Code
from saver.seal import BadSealError, Keys, Seal


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to send; ``lifetime`` in seconds, None for the service's default."""

    text: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    once: bool = False
    lifetime: int | None = None

    def body(self, random: Random) -> dict[str, object]:
        """Return the request; a text with a password is sealed. ``random``: a CSPRNG."""
        body: dict[str, object] = {"text": self.text}
        if self.password is not None:
            params = Seal(random.randbytes(seal.SALT_BYTES))
            keys = seal.derive(self.password, params)
            body["text"] = seal.encrypt(self.text, params, keys, random.randbytes(seal.NONCE_BYTES))
            body["proof"] = seal.encode(keys.proof)
        if self.once:
            body["once"] = True
        if self.lifetime is not None:
            body["expires_in"] = self.lifetime
        return body


def send(api: Api, draft: Draft, random: Random) -> WriteResult:
    """Write a text. However often the request is sent, the text gets one code."""
    return api.write(draft.body(random), new_uuid(random))


def new_uuid(random: Random) -> str:
    """Return a random UUID."""
    return str(uuid.UUID(bytes=random.randbytes(16), version=4))


class Reader:
    """Loads the text of a code. ``claim``: a UUID that gets a one-time text again for two minutes."""

    def __init__(self, api: Api, code: Code, claim: str) -> None:
        self._api = api
        self._code = code
        self._claim = claim

    def load(self, password: str | None, normalize: Callable[[str], str]) -> LoadResult:
        """Return the opened text.

        ``normalize`` returns the phrase that another spelling of a password means. Raises NotSealedError for
        an open text if a password is given: then it is not the text that was sealed.
        """
        if password is None:
            return self._open_text()
        params = self._parameters()
        try:
            return self._sealed_text(seal.derive(normalize(password), params))
        except NoTextError:
            if normalize(password) == password:
                raise
            # A password that only looks like another spelling of a phrase.
            return self._sealed_text(seal.derive(password, params))

    def acknowledge(self) -> None:
        """The text has arrived: a one-time text ends. Without an answer the service ends it by itself."""
        with suppress(SaverError):
            self._api.acknowledge(self._code, self._claim)

    def _open_text(self) -> LoadResult:
        found = self._api.load(self._code, self._claim)
        if found.sealed:
            raise UnexpectedAnswerError
        return found

    def _parameters(self) -> Seal:
        """How the text is sealed; the service names it when no proof is shown."""
        try:
            self._open_text()
        except NoTextError as error:
            return _parsed(error.seal)
        raise NotSealedError

    def _sealed_text(self, keys: Keys) -> LoadResult:
        found = self._api.load(self._code, self._claim, seal.encode(keys.proof))
        if not found.sealed:
            raise NotSealedError
        try:
            return found._replace(text=seal.decrypt(found.text, keys.key))
        except BadSealError:
            raise UnexpectedAnswerError from None


def _parsed(given: object) -> Seal:
    """Check the parameters. Raises UnexpectedAnswerError, also for those that make guessing cheap."""
    found = given if isinstance(given, dict) else {}
    try:
        return Seal(seal.decode(str(found.get("salt"))), found.get("iterations", 0), found.get("name", ""))
    except ValueError:
        raise UnexpectedAnswerError from None
