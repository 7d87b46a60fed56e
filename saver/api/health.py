"""Health: ``/healthz`` (the process answers) and ``/readyz`` (it can do its work)."""

from __future__ import annotations

from flask import Blueprint, Response

from saver.api import door
from saver.readiness import Readiness


class Health:
    """The health routes. They are never limited."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with the app."""
        blueprint = Blueprint("health", __name__)
        blueprint.get("/healthz")(self.healthz)
        blueprint.get("/readyz")(self.readyz)
        return blueprint

    def healthz(self) -> Response:
        """The process answers."""
        return door.json_answer({"status": "ok"})

    def readyz(self) -> Response:
        """Database, schema and sweeper: 200 if all are well, else 503."""
        checks = self._readiness.check()
        ready = all(checks.values())
        states = {name: "ok" if well else "failing" for name, well in checks.items()}
        return door.json_answer({"status": "ok" if ready else "failing", **states}, 200 if ready else 503)
