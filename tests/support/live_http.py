"""A live transfer over HTTP with the Python client, for the other end of a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from random import SystemRandom
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from saver.live_transfer.meeting import Tools
from saver.live_transfer.messages import Messages, Response


class HttpTransport:
    """Sends the messages to a server at this address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def post(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
        """As a transport."""
        data = json.dumps(body).encode()
        named = {"Content-Type": "application/json", **headers}
        request = Request(f"{self._url}/api/v1/{path}", data, named)
        try:
            with urlopen(request, timeout=60) as answer:
                return Response(answer.status, json.loads(answer.read() or b"null"))
        except HTTPError as error:
            with error:
                return Response(error.code, json.loads(error.read() or b"null"))


def live_tools(url: str) -> Tools:
    """What the Python client needs to use the service at this address."""
    return Tools(Messages(HttpTransport(url), time.sleep), url, SystemRandom(), time.monotonic)
