"""The old wire: what extension 1.x, which is in the Chrome Web Store, speaks.

It translates names and shapes and holds no rule. Any error but "not exist" is
a problem, as in v1: extension 1.x shows its own message for every HTTP error.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict

from saver.api import door
from saver.api.deeds import Deeds, Locks
from saver.api.schemas import CodeField, Password, Text
from saver.leases import NoTextError

_LIFETIMES = {"10min": 600, "1h": 3_600, "3h": 10_800}

# It always sends its password field, empty where there is none.
_OptionalPassword = Annotated[Password | None, BeforeValidator(lambda given: None if given == "" else given)]


class _OldRequest(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class OldWrite(_OldRequest):
    """What extension 1.x sends to save."""

    wrtext: Text
    wrpassword: _OptionalPassword = None
    wrdelete_at: Literal["10min", "1h", "3h"]


class OldLoad(_OldRequest):
    """What extension 1.x sends to load."""

    ldcode: CodeField
    ldpassword: _OptionalPassword = None


class Wire:
    """The routes ``/write/`` and ``/load/``."""

    def __init__(self, deeds: Deeds) -> None:
        self._deeds = deeds

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("wire", __name__)
        blueprint.post("/write/")(self.write)
        blueprint.post("/load/")(self._deeds.charged(self.load))
        return blueprint

    def write(self) -> Response:
        """Keep a text."""
        self._deeds.admit_write()
        body = door.read(OldWrite)
        lease = self._deeds.write(body.wrtext, _LIFETIMES[body.wrdelete_at], Locks(body.wrpassword))
        return door.json_answer({"status": "success", "message": lease.code})

    def load(self) -> Response:
        """Give a text, or say that there is none with status 200."""
        body = door.read(OldLoad)
        try:
            found = self._deeds.load(body.ldcode, body.ldpassword)
        except NoTextError:
            return door.json_answer({"status": "error", "message": "not exist"})
        return door.json_answer({"status": "success", "message": found.text})
