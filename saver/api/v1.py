"""API v1: write, load, delete, limits. Translates; the deeds are in `deeds`."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from saver.api import door
from saver.api.deeds import Deeds
from saver.api.schemas import DeleteRequest, LoadRequest, WriteRequest
from saver.leases import Lease


class V1:
    """The routes below ``/api/v1``."""

    def __init__(self, deeds: Deeds) -> None:
        self._deeds = deeds

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("v1", __name__, url_prefix="/api/v1")
        blueprint.post("/write")(self.write)
        blueprint.post("/load")(self.load)
        blueprint.post("/delete")(self.delete)
        blueprint.get("/limits")(self.limits)
        return blueprint

    def write(self) -> Response:
        """Keep a text: 201 with its code."""
        self._deeds.admit_write()
        if door.is_plain():
            text = door.read_plain()
            lease = self._deeds.write(text, door.read_expires_in())
            return door.plain_answer(f"{lease.code}\n", 201)
        body = door.read(WriteRequest)
        return _written(self._deeds.write(body.text, body.expires_in, body.password))

    def load(self) -> Response:
        """Give a text: 200, or the one 404."""
        body = door.read(LoadRequest)
        found = self._deeds.load(body.code, body.password)
        if door.wants_plain():
            return door.plain_answer(found.text)
        return door.json_answer({"text": found.text, "expires_at": _timestamp(found.expires_at)})

    def delete(self) -> Response:
        """End a text by its owner token: 204, or the one 404."""
        body = door.read(DeleteRequest)
        self._deeds.delete(body.code, body.owner_token)
        return Response(status=204)

    def limits(self) -> Response:
        """What a client shows before it asks."""
        return door.json_answer(self._deeds.limits())


def _written(lease: Lease) -> Response:
    return door.json_answer(
        {"code": lease.code, "expires_at": _timestamp(lease.expires_at), "owner_token": lease.owner_token},
        201,
    )


def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
