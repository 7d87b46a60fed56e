"""Routes for the operator: ``/healthz`` (alive), ``/readyz`` (able to work) and ``/metrics``."""

from __future__ import annotations

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from saver.api.client_address import address, is_forwarded
from saver.api.responses import json_document
from saver.ops.health import Readiness
from saver.ops.metrics import Metrics
from saver.ratelimit.addresses import is_within
from saver.settings import Settings

PATHS = ("/healthz", "/readyz", "/metrics")


class Health:
    """The operator's routes, which have no rate limit."""

    def __init__(self, readiness: Readiness, metrics: Metrics, settings: Settings) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._allowed = settings.metrics_allowed
        self._trusted = settings.trusted_proxies

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("health", __name__)
        blueprint.get("/healthz")(self.healthz)
        blueprint.get("/readyz")(self.readyz)
        blueprint.get("/metrics")(self.metrics)
        return blueprint

    def healthz(self) -> Response:
        """Report that the process is alive."""
        return json_document({"status": "ok"})

    def readyz(self) -> Response:
        """Database, schema, counts and sweeper: 200 if all work, else 503.

        ``writes`` does not change the status: on a full disk the service still serves everything else.
        """
        checks = self._readiness.check()
        ready = all(checks.values())
        states = {name: "ok" if passed else "failing" for name, passed in checks.items()}
        states["writes"] = "ok" if self._readiness.accepts_writes() else "refused"
        return json_document({"status": "ok" if ready else "failing", **states}, 200 if ready else 503)

    def metrics(self) -> Response:
        """Prometheus' text format, for allowed peers; 404 for all others."""
        client = address(request, self._trusted)
        # Refuse requests through a proxy that is not trusted: through a proxy on this machine the
        # whole world would seem to come from loopback.
        unknown = is_forwarded(request) and client == (request.remote_addr or "")
        if unknown or not is_within(client, self._allowed):
            raise NotFound
        return Response(self._metrics.text(), content_type=CONTENT_TYPE_LATEST)
