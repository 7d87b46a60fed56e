"""The old wire: what extension 1.x, which is in the Chrome Web Store, speaks.

It translates names and shapes and holds no rule. Extension 1.x shows the message of an
error with status 200 where it loads, and "Server error" for every other status. So what its
user can mend when loading comes with 200; any other error is a problem, as in v1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict

from saver.api import door
from saver.api.deeds import Deeds, Locks
from saver.api.schemas import Password, Text
from saver.codes import BadCodeError, Code
from saver.ratelimit.lookups import RateLimitExceededError
from saver.store import NoTextError

_LIFETIMES = {"10min": 600, "1h": 3_600, "3h": 10_800}

# It always sends its password field, empty where there is none.
_OptionalPassword = Annotated[Password | None, BeforeValidator(lambda given: None if given == "" else given)]


class _LegacyRequest(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class LegacyWrite(_LegacyRequest):
    """What extension 1.x sends to save."""

    wrtext: Text
    wrpassword: _OptionalPassword = None
    wrdelete_at: Literal["10min", "1h", "3h"]


class LegacyLoad(_LegacyRequest):
    """What extension 1.x sends to load."""

    ldcode: str
    ldpassword: _OptionalPassword = None


class LegacyApi:
    """The routes ``/write/`` and ``/load/``."""

    def __init__(self, deeds: Deeds, max_body_bytes: int) -> None:
        self._deeds = deeds
        self._max_body_bytes = max_body_bytes
        self._charged_load = deeds.charged(self._look_up)

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("wire", __name__)
        blueprint.post("/write")(self.write)
        blueprint.post("/load")(self.load)
        return blueprint

    def write(self) -> Response:
        """Keep a text."""
        self._deeds.admit_write()
        body = door.read(LegacyWrite, self._max_body_bytes)
        lease = self._deeds.write(body.wrtext, _LIFETIMES[body.wrdelete_at], Locks(body.wrpassword))
        return door.json_answer({"status": "success", "message": lease.code})

    def load(self) -> Response:
        """Give a text, or say with status 200 why not: all else it would call a fault of the server."""
        try:
            return self._charged_load()
        except RateLimitExceededError as error:
            message = f"Too many tries. Try again in {error.retry_after} seconds."
            return door.json_answer({"status": "error", "message": message})

    def _look_up(self) -> Response:
        body = door.read(LegacyLoad)
        try:
            found = self._deeds.load(Code.parse(body.ldcode), body.ldpassword)
        except (NoTextError, BadCodeError):
            return door.json_answer({"status": "error", "message": "not exist"})
        return door.json_answer({"status": "success", "message": found.text})
