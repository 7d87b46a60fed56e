"""API v1: parses a request, calls the service, and makes the response."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Request, Response

from saver.api.body import SMALL_BODY_BYTES, read_body
from saver.api.client_address import charge_lookup
from saver.api.parsing import (
    JSON,
    is_plain,
    parse_expires_in,
    parse_idempotency_key,
    parse_json,
    parse_plain_code,
    parse_plain_text,
    read_json,
)
from saver.api.request_schemas import AckRequest, ExtendRequest, LoadRequest, OwnerRequest, WriteRequest
from saver.api.response_schemas import (
    CodeLimits,
    Extended,
    Lifetimes,
    Limits,
    LiveLimits,
    StatusAnswer,
    TextAnswer,
    Written,
)
from saver.api.responses import CompleteResponse, json_response, plain_response, timestamp, wants_plain
from saver.api.write_limits import WriteLimits
from saver.codes import ALPHABET, LENGTH
from saver.meetings import LIFETIME_SECONDS, TRIES
from saver.ops.guessing import PublicGuessing
from saver.ratelimit.lookups import Lookup
from saver.service import TextService
from saver.settings import Settings
from saver.texts import LifetimePolicy, NewText


class ApiV1:
    """The routes below ``/api/v1``."""

    def __init__(
        self, service: TextService, write_limits: WriteLimits, settings: Settings, guessing: PublicGuessing
    ) -> None:
        self._service = service
        self._guessing = guessing
        self._write_limits = write_limits
        self._settings = settings
        self._limits = _limits(settings, service.lifetimes)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be registered with the app."""
        blueprint = Blueprint("v1", __name__, url_prefix="/api/v1")
        blueprint.post("/write")(self._write_limits(self.write))
        for view in (self.load, self.ack, self.status, self.extend, self.delete):
            name = view.__name__
            blueprint.post(f"/{name}")(
                charge_lookup(self._service.lookup, self._settings.trusted_proxies, view)
            )
        blueprint.get("/limits")(self.limits)
        return blueprint

    def write(self, request: Request, address: str) -> Response:
        """Store a text: 201 with its code."""
        plain = is_plain(request, "the text itself")
        body = read_body(request, self._settings.max_body_bytes)
        idempotency = parse_idempotency_key(request, body)
        if plain:
            text, expires_in = parse_plain_text(request, body), parse_expires_in(request)
            stored = self._service.write(NewText(text, expires_in, idempotency=idempotency), address)
            return plain_response(f"{stored.code}\n", 201)
        new = parse_json(request, WriteRequest, body)
        new_text = NewText(new.text, new.expires_in, new.password, new.proof, new.once, idempotency)
        stored = self._service.write(new_text, address)
        written = Written(
            code=stored.code, expires_at=timestamp(stored.expires_at), owner_token=stored.owner_token
        )
        return json_response(written, 201)

    def load(self, request: Request, lookup: Lookup) -> Response:
        """Return a text: 200, or the uniform 404."""
        plain = is_plain(request, "the code itself")
        body = read_body(request, SMALL_BODY_BYTES)
        if plain:
            result = self._service.load(lookup, parse_plain_code(request, body))
        else:
            asked = parse_json(request, LoadRequest, body)
            result = self._service.load(
                lookup, asked.code, asked.password, proof=asked.proof, claim=asked.claim
            )
        if wants_plain(request, default=plain):
            return plain_response(result.text)
        answer = TextAnswer(
            text=result.text, expires_at=timestamp(result.expires_at), once=result.once, sealed=result.sealed
        )
        return json_response(answer)

    def ack(self, request: Request, lookup: Lookup) -> Response:
        """Acknowledge a one-time text, which is then gone: 204, or the uniform 404."""
        body = read_json(request, AckRequest)
        self._service.ack(lookup, body.code, body.claim)
        return Response(status=204)

    def status(self, request: Request, lookup: Lookup) -> Response:
        """Return the sender's receipt: 200, or the uniform 404."""
        body = read_json(request, OwnerRequest)
        status = self._service.status(lookup, body.code, body.owner_token)
        loaded_at = status.first_loaded_at
        answer = StatusAnswer(
            state=status.state,
            first_loaded_at=None if loaded_at is None else timestamp(loaded_at),
            refused=status.refused,
            expires_at=timestamp(status.expires_at),
        )
        return json_response(answer)

    def extend(self, request: Request, lookup: Lookup) -> Response:
        """Extend the lifetime of a text: 200 with its new end, or the uniform 404."""
        body = read_json(request, ExtendRequest)
        expires_at = self._service.extend(lookup, body.code, body.owner_token, body.expires_in)
        return json_response(Extended(expires_at=timestamp(expires_at)))

    def delete(self, request: Request, lookup: Lookup) -> Response:
        """Delete a text: 204, or the uniform 404."""
        body = read_json(request, OwnerRequest)
        self._service.delete(lookup, body.code, body.owner_token)
        return Response(status=204)

    def limits(self) -> Response:
        """Return what a client shows before it asks."""
        return CompleteResponse(self.limits_json(), content_type=JSON)

    def limits_json(self) -> str:
        """Return the body of that response, which the page contains."""
        limits, figures = self._limits, self._guessing.figures()
        if figures:
            expected, chance = figures
            update = {"expected_stranger_hits_per_day": expected, "guess_chance_today": chance}
            limits = limits.model_copy(update=update)
        return limits.model_dump_json(exclude_none=True)


def _limits(settings: Settings, lifetimes: LifetimePolicy) -> Limits:
    return Limits(
        max_text_bytes=settings.max_text_bytes,
        expires_in=Lifetimes(**asdict(lifetimes)),
        code=CodeLimits(length=LENGTH, alphabet=ALPHABET),
        cool_down=settings.code_cooldown,
        live=LiveLimits(expires_in=LIFETIME_SECONDS, tries=TRIES),
        contact=settings.contact,
        terms_url=settings.terms_url,
    )
