"""HTTP: one request, and the patience to send it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from saver.live_transfer.errors import NoAnswerError
from saver.live_transfer.messages import Response
from saver.version import __version__

if TYPE_CHECKING:
    import httpx

# In seconds without a byte.
_TIMEOUT = 60
_CONNECT_TIMEOUT = 10
# Before each time that a request is sent again, in seconds.
_PAUSES = (0.7, 2.5)
_LATER = {409, 502, 503, 504}
_TOO_MANY = 429
# In seconds; for longer only the user decides.
_MAX_WAIT = 3
# Where the service does not say when.
_DEFAULT_WAIT = 60


class Transport(Protocol):
    """Sends a request and follows no redirect. Raises NoAnswerError."""

    def post(self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Response:
        """Send JSON to ``path``, which is below ``/api/v1/``; a GET without a body."""


class HttpTransport:
    """A transport over HTTP, with one connection. ``watched`` is entered for each request."""

    def __init__(
        self, service: str, watched: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self._watched = watched
        # It takes longer to import than everything else together.
        import httpx  # noqa: PLC0415

        self._errors = (httpx.HTTPError, httpx.InvalidURL)
        self._client: httpx.Client = httpx.Client(
            base_url=f"{service}/api/v1/",
            follow_redirects=False,
            timeout=httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT),
            headers={"User-Agent": f"saver/{__version__}", "Accept": "application/json"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def post(self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Response:
        """Send JSON, or a GET without a body. Raises NoAnswerError."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        method, kind = ("GET", {}) if body is None else ("POST", {"Content-Type": "application/json"})
        try:
            with self._watched():
                answer = self._client.request(method, path, content=content, headers={**kind, **headers})
        except self._errors:
            raise NoAnswerError from None
        try:
            parsed = json.loads(answer.content)
        except ValueError:
            parsed = None
        asked = answer.headers.get("Retry-After", "")
        return Response(answer.status_code, parsed, float(asked) if asked.isdecimal() else None)


class Patient:
    """A transport that sends a request again, always with the same bytes, while that is worth it.

    ``countdown`` waits that many seconds and shows it. With ``waits`` a request is sent again whenever the
    service has asked to come back later.
    """

    def __init__(
        self,
        transport: Transport,
        sleep: Callable[[float], None],
        countdown: Callable[[float], None],
        *,
        waits: bool,
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._countdown = countdown
        self._waits = waits

    def post(self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> Response:
        """As any transport. Raises NoAnswerError."""
        pauses = iter(_PAUSES)
        while True:
            response = self._try(path, body, headers)
            if response and response.status not in {*_LATER, _TOO_MANY}:
                return response
            if not self._is_over(response, pauses):
                continue
            if response is None:
                raise NoAnswerError
            return response

    def _try(
        self, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]
    ) -> Response | None:
        try:
            return self._transport.post(path, body, headers)
        except NoAnswerError:
            return None

    def _is_over(self, response: Response | None, pauses: Iterator[float]) -> bool:
        """Wait before the next try, or return that there is none."""
        asked = response.retry_after if response else None
        is_short = (response is None or response.status != _TOO_MANY) and (asked or 0) <= _MAX_WAIT
        pause = next(pauses, None) if is_short else None
        if pause is not None:
            self._sleep(max(pause, asked or 0))
        elif self._waits and response is not None:
            self._countdown(_DEFAULT_WAIT if asked is None else max(asked, 1))
        else:
            return True
        return False
