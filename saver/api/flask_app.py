"""Flask without what no request here needs, which took a tenth of a load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter


class _NoSessions(SessionInterface):
    """There are no cookies, and so no sessions."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the same one for every request, which nobody can write to."""
        return self._session

    def is_null_session(self, obj: object) -> bool:
        """Return True: nothing is to be saved."""
        return True


class FlaskApp(Flask):
    """A Flask app without sessions, whose views are no coroutines and which makes no URL from ``Host``."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function; Flask would inspect it at each call."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of a request; Flask would parse its ``Host`` twice."""
        if request is None:
            return super().create_url_adapter(request)
        return MapAdapter(
            self.url_map,
            server_name="",
            script_name="/",
            subdomain="",
            url_scheme="http",
            path_info=request.path,
            default_method=request.method,
        )
