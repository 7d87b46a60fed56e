"""API v1. Translates; the deeds are in `deeds`."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from saver.api import door
from saver.api.deeds import Deeds, Locks
from saver.api.schemas import AckRequest, ExtendRequest, LoadRequest, OwnerRequest, WriteRequest


class V1:
    """The routes below ``/api/v1``."""

    def __init__(self, deeds: Deeds, max_body_bytes: int) -> None:
        self._deeds = deeds
        self._max_body_bytes = max_body_bytes

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("v1", __name__, url_prefix="/api/v1")
        blueprint.post("/write")(self.write)
        for deed in (self.load, self.ack, self.status, self.extend, self.delete):
            blueprint.post(f"/{deed.__name__}")(self._deeds.charged(deed))
        blueprint.get("/limits")(self.limits)
        return blueprint

    def write(self) -> Response:
        """Keep a text: 201 with its code."""
        self._deeds.admit_write()
        is_plain, most = door.is_plain("the text itself"), self._max_body_bytes
        idempotency = door.read_idempotency_key(most)
        if is_plain:
            lease = self._deeds.write(door.read_plain(most), door.read_expires_in(), idempotency=idempotency)
            return door.plain_answer(f"{lease.code}\n", 201)
        body = door.read(WriteRequest, most)
        locks = Locks(body.password, body.proof, once=body.once)
        lease = self._deeds.write(body.text, body.expires_in, locks, idempotency)
        written = {
            "code": lease.code,
            "expires_at": _timestamp(lease.expires_at),
            "owner_token": lease.owner_token,
        }
        return door.json_answer(written, 201)

    def load(self) -> Response:
        """Give a text: 200, or the one 404."""
        is_plain = door.is_plain("the code itself")
        if is_plain:
            found = self._deeds.load(door.read_plain_code())
        else:
            body = door.read(LoadRequest)
            found = self._deeds.load(body.code, body.password, proof=body.proof, claim=body.claim)
        if door.wants_plain(otherwise=is_plain):
            return door.plain_answer(found.text)
        return door.json_answer(
            {
                "text": found.text,
                "expires_at": _timestamp(found.expires_at),
                "once": found.once,
                "sealed": found.sealed,
            }
        )

    def ack(self) -> Response:
        """A one-time text has arrived: 204, and it is gone; or the one 404."""
        body = door.read(AckRequest)
        self._deeds.ack(body.code, body.claim)
        return Response(status=204)

    def status(self) -> Response:
        """The sender's receipt: 200, or the one 404."""
        body = door.read(OwnerRequest)
        status = self._deeds.status(body.code, body.owner_token)
        loaded = status.first_loaded_at
        return door.json_answer(
            {
                "state": status.state,
                "first_loaded_at": None if loaded is None else _timestamp(loaded),
                "refused": status.refused,
                "expires_at": _timestamp(status.expires_at),
            }
        )

    def extend(self) -> Response:
        """Let a text live longer: 200 with when it expires, or the one 404."""
        body = door.read(ExtendRequest)
        expires_at = self._deeds.extend(body.code, body.owner_token, body.expires_in)
        return door.json_answer({"expires_at": _timestamp(expires_at)})

    def delete(self) -> Response:
        """End a text by its owner token: 204, or the one 404."""
        body = door.read(OwnerRequest)
        self._deeds.delete(body.code, body.owner_token)
        return Response(status=204)

    def limits(self) -> Response:
        """What a client shows before it asks."""
        return door.json_answer(self._deeds.limits())


def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
