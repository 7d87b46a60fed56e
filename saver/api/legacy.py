"""The legacy API, which the published extension 1.x speaks. It only translates requests and responses.

For a load extension 1.x shows the message of an error with status 200, and "Server error" for every other
status. So an error that its user can correct has status 200. Every other error is a problem document.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict

from saver.api.client_address import charge_lookup
from saver.api.parsing import read_json
from saver.api.request_schemas import Password, Text
from saver.api.responses import json_response
from saver.api.write_limits import WriteLimits
from saver.codes import BadCodeError, Code
from saver.ratelimit.lookups import Lookup, RateLimitExceededError
from saver.service import TextService
from saver.settings import Settings
from saver.store import NoTextError
from saver.texts import NewText

_LIFETIMES = {"10min": 600, "1h": 3_600, "3h": 10_800}

# Extension 1.x always sends its password field, also if it is empty.
_OptionalPassword = Annotated[Password | None, BeforeValidator(lambda value: None if value == "" else value)]


class _LegacyRequest(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class LegacyWrite(_LegacyRequest):
    """The request of extension 1.x to store a text."""

    wrtext: Text
    wrpassword: _OptionalPassword = None
    wrdelete_at: Literal["10min", "1h", "3h"]


class LegacyLoad(_LegacyRequest):
    """The request of extension 1.x to load a text."""

    ldcode: str
    ldpassword: _OptionalPassword = None


class LegacyAnswer(BaseModel):
    """The response to both."""

    status: Literal["success", "error"]
    message: str


class LegacyApi:
    """The routes ``/write/`` and ``/load/``."""

    def __init__(self, service: TextService, write_limits: WriteLimits, settings: Settings) -> None:
        self._service = service
        self._write_limits = write_limits
        self._settings = settings
        self._charged_load = charge_lookup(service.lookup, settings.trusted_proxies, self._load)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be registered with the app."""
        blueprint = Blueprint("legacy", __name__)
        blueprint.post("/write")(self._write_limits(self.write))
        blueprint.post("/load")(self.load)
        return blueprint

    def write(self, request: Request, address: str) -> Response:
        """Store a text."""
        body = read_json(request, LegacyWrite, self._settings.max_body_bytes)
        new_text = NewText(body.wrtext, _LIFETIMES[body.wrdelete_at], body.wrpassword)
        return _answer("success", self._service.write(new_text, address).code)

    def load(self) -> Response:
        """Return a text, or an error with status 200."""
        try:
            return self._charged_load()
        except RateLimitExceededError as error:
            return _answer("error", f"Too many tries. Try again in {error.retry_after} seconds.")

    def _load(self, request: Request, lookup: Lookup) -> Response:
        body = read_json(request, LegacyLoad)
        try:
            result = self._service.load(lookup, Code.parse(body.ldcode), body.ldpassword)
        except (NoTextError, BadCodeError):
            return _answer("error", "not exist")
        return _answer("success", result.text)


def _answer(status: Literal["success", "error"], message: str) -> Response:
    return json_response(LegacyAnswer(status=status, message=message))
