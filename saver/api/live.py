"""API v1, live transfers: parses a request, calls the service, and makes the response."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Request, Response
from flask.globals import request_ctx

from saver.api.client_address import charge_lookup, counted_address
from saver.api.live_schemas import (
    AnswerRequest,
    ConfirmRequest,
    DeliverRequest,
    Joined,
    JoinRequest,
    MeetingRequest,
    Offered,
    OfferRequest,
    Opened,
    OpenRequest,
    Polled,
)
from saver.api.parsing import read_json
from saver.api.responses import json_response, timestamp
from saver.api.write_limits import WriteLimits
from saver.meeting_service import MeetingService
from saver.ratelimit.lookups import Lookup
from saver.settings import Settings


class LiveApi:
    """The routes below ``/api/v1/live``. A message that does not fit is answered with the uniform 404."""

    def __init__(self, service: MeetingService, write_limits: WriteLimits, settings: Settings) -> None:
        self._service = service
        self._write_limits = write_limits
        self._trusted = settings.trusted_proxies

    def blueprint(self) -> Blueprint:
        """Return the routes, to be registered with the app."""
        blueprint = Blueprint("live", __name__, url_prefix="/api/v1/live")
        blueprint.post("/open")(self._write_limits(self.open))
        for look_up in (self.join, self.answer):
            charged = charge_lookup(self._service.lookup, self._trusted, look_up)
            blueprint.post(f"/{look_up.__name__}")(charged)
        for view in (self.offer, self.poll, self.confirm, self.deliver, self.close):
            blueprint.post(f"/{view.__name__}")(self._charged(view))
        return blueprint

    def open(self, request: Request, _address: str) -> Response:
        """Open a meeting: 201 with its number."""
        body = read_json(request, OpenRequest)
        meeting = self._service.open(body.token, body.role)
        opened = Opened(number=meeting.number, expires_at=timestamp(meeting.expires_at))
        return json_response(opened, 201)

    def offer(self, request: Request, _address: str) -> Response:
        """Store an offer."""
        body = read_json(request, OfferRequest)
        tries_left = self._service.offer(body.number, body.token, body.session, body.share)
        return json_response(Offered(tries_left=tries_left))

    def join(self, request: Request, lookup: Lookup) -> Response:
        """Return the offer."""
        meeting = self._service.join(lookup, read_json(request, JoinRequest).number)
        joined = Joined(
            role=meeting.joiner_role,
            session=meeting.session,
            share=meeting.share,
            tries_left=meeting.tries_left,
            expires_at=timestamp(meeting.expires_at),
        )
        return json_response(joined)

    def answer(self, request: Request, lookup: Lookup) -> Response:
        """Store the answer of a joiner."""
        body = read_json(request, AnswerRequest)
        self._service.answer(lookup, body.number, body.token, body.session, body.share, body.tag)
        return Response(status=204)

    def poll(self, request: Request, address: str) -> Response:
        """Return what has come for a client."""
        body = read_json(request, MeetingRequest)
        seen = self._service.poll(address, body.number, body.token)
        return json_response(Polled(state=seen.state, share=seen.share, tag=seen.tag, code=seen.code))

    def confirm(self, request: Request, _address: str) -> Response:
        """Store the confirmation of the maker."""
        body = read_json(request, ConfirmRequest)
        self._service.confirm(body.number, body.token, body.session, body.tag)
        return Response(status=204)

    def deliver(self, request: Request, _address: str) -> Response:
        """Store the code of the text."""
        body = read_json(request, DeliverRequest)
        self._service.deliver(body.number, body.token, body.code)
        return Response(status=204)

    def close(self, request: Request, _address: str) -> Response:
        """End a meeting."""
        body = read_json(request, MeetingRequest)
        self._service.close(body.number, body.token)
        return Response(status=204)

    def _charged(self, view: Callable[[Request, str], Response]) -> Callable[[], Response]:
        @wraps(view)
        def charged_view() -> Response:
            request = request_ctx.request
            address = counted_address(request, self._trusted)
            self._service.charge(address)
            return view(request, address)

        return charged_view
