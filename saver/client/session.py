"""What one run works with: the service, the state and the output, made when they are needed."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from functools import cached_property
from random import Random, SystemRandom
from types import TracebackType
from typing import Self

import click

from saver.client.api import Api
from saver.client.config import find_service
from saver.client.errors import NoTokenError
from saver.client.http import HttpTransport, Patient, Transport
from saver.client.live import Live
from saver.client.state import State, default_folder
from saver.client.terminal import countdown, note, said_if_slow, seconds_of, write_text
from saver.client.texts import Reader, new_uuid
from saver.clock import Clock
from saver.codes import Code

# A receipt is there until its code is used again, a day after its text is gone.
_RECEIPT_SECONDS = 86_400
# A one-time text can be asked for again for two minutes; this allows for a slow line.
_CLAIM_SECONDS = 600
_TOKENS, _CLAIMS = "tokens", "claims"


class Session:
    """One run. ``service`` is what ``--service`` says; ``waits``: whether to wait when the service asks."""

    def __init__(self, service: str | None, *, as_json: bool, waits: bool) -> None:
        self._option = service
        self.as_json = as_json
        self._waits = waits
        self._resources = ExitStack()
        self.random: Random = SystemRandom()
        self._clock: Clock = time.time
        self._state = State(default_folder(), self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    @cached_property
    def service(self) -> str:
        """The address of the service. Raises UsageError."""
        return find_service(self._option)

    @cached_property
    def _transport(self) -> HttpTransport:
        return self._resources.enter_context(HttpTransport(self.service, said_if_slow))

    @cached_property
    def _patient(self) -> Patient:
        return Patient(self._transport, time.sleep, countdown, waits=self._waits)

    @cached_property
    def api(self) -> Api:
        """The routes of the service."""
        return Api(self._patient)

    @cached_property
    def live(self) -> Live:
        """The live transfers of the service, which send lost requests again by themselves."""
        transport: Transport = self._patient if self._waits else self._transport
        return Live(self.service, transport, self._state, self._clock)

    def reader(self, code: Code) -> Reader:
        """The reader of a code: the same one after a run that was cut off."""
        claim = self._state.get(_CLAIMS, self.service, code).get("claim")
        if not isinstance(claim, str):
            claim = new_uuid(self.random)
            self._store(_CLAIMS, code, self._clock() + _CLAIM_SECONDS, claim=claim)
        return Reader(self.api, code, claim)

    def forget_reader(self, code: Code) -> None:
        """The text has arrived."""
        self._state.remove(_CLAIMS, self.service, code)

    def owner_token(self, code: Code) -> str:
        """The owner token of a code. Raises NoTokenError."""
        token = self._state.get(_TOKENS, self.service, code).get("owner_token")
        if not isinstance(token, str):
            raise NoTokenError
        return token

    def store_token(self, code: Code, token: str, expires_at: str) -> None:
        """Keep the owner token as long as the receipt is there."""
        until = seconds_of(expires_at) + _RECEIPT_SECONDS
        if not self._store(_TOKENS, code, until, owner_token=token):
            note("The owner token could not be stored: this text cannot be deleted before it expires.")

    def _store(self, kind: str, code: Code, until: float, **value: object) -> bool:
        try:
            self._state.put(kind, self.service, code, until=until, **value)
        except OSError:
            return False
        return True

    def result(self, line: str, **members: object) -> None:
        """Write a line to stdout, or with ``--json`` an object with the members."""
        shown = {name: value for name, value in members.items() if value is not None}
        click.echo(json.dumps(shown, ensure_ascii=False) if self.as_json else line)

    def text(self, text: str, **members: object) -> None:
        """Write a text to stdout, the same bytes, or with ``--json`` an object with it."""
        if self.as_json:
            self.result("", text=text, **members)
        else:
            write_text(text)

    def done(self, message: str, **members: object) -> None:
        """Say on stderr that it is done, or with ``--json`` write an object with the members to stdout."""
        if self.as_json:
            self.result("", **members)
        else:
            note(message)

    def note(self, message: str) -> None:
        """Say something on stderr; not with ``--json``."""
        if not self.as_json:
            note(message)
