"""Clients that write and load all the time while processes are killed, and note the answers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import NamedTuple
from uuid import UUID

from tests.support.threads import TIMEOUT, at_work

WRITERS = 6
SHORT, LONG = 1, 3_600
Answer = tuple[int, dict[str, object]]


class Acknowledged(NamedTuple):
    """A text whose write was acknowledged."""

    code: str
    body: str


class Writers:
    """Clients that write until they are stopped, and note what was acknowledged."""

    def __init__(self, port: int, *, may_be_away: bool = False) -> None:
        self._port = port
        self._may_be_away = may_be_away
        self._stop = threading.Event()
        self.acknowledged: list[Acknowledged] = []
        self.count = 0
        self.once = 0
        self.wrong: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator[Writers]:
        """Write until the block ends."""
        works = [partial(self._write, Random(seed)) for seed in range(WRITERS)]
        with at_work(works, self._stop, 4 * TIMEOUT):
            yield self

    def _post(self, connection: http.client.HTTPConnection, route: str, body: object) -> Answer:
        status, answer = post(connection, route, body)
        if status == 503 and self._may_be_away:
            raise ConnectionError("the database is away")
        return status, answer

    def _write(self, random: Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        while not self._stop.is_set():
            lasts = random.random() < 0.25
            body = f"{random.getrandbits(128):x}" * random.choice([1, 1, 1, 300])
            try:
                if random.random() < 0.1:
                    self._write_once(connection, body, random)
                else:
                    self._write_and_load(connection, body, LONG if lasts else SHORT)
            except (OSError, http.client.HTTPException, ValueError):
                # There was no answer, so the text may be stored or not.
                connection.close()
                self._stop.wait(0.01)

    def _write_and_load(self, connection: http.client.HTTPConnection, body: str, life: int) -> None:
        began = time.time()
        status, written = self._post(connection, "write", {"text": body, "expires_in": life})
        if status != 201:
            self.wrong.append(f"{status} {written}")
            return
        self.count += 1
        code = str(written["code"])
        if life == LONG:
            self.acknowledged.append(Acknowledged(code, body))
        status, loaded = self._post(connection, "load", {"code": code})
        if time.time() < began + life and loaded.get("text") != body:
            self.wrong.append(f"{status}, before it expired")

    def _write_once(self, connection: http.client.HTTPConnection, body: str, random: Random) -> None:
        """A one-time text: exactly one claim reads it, whichever process is killed meanwhile."""
        mine, other = (str(UUID(int=random.getrandbits(128))) for _ in range(2))
        status, written = self._post(connection, "write", {"text": body, "expires_in": LONG, "once": True})
        if status != 201:
            self.wrong.append(f"{status} {written}")
            return
        self.count += 1
        code = str(written["code"])
        if self._ask_until_answered(connection, {"code": code, "claim": mine}).get("text") != body:
            self.wrong.append("a one-time text was burnt by a lost answer")
        if "text" in self._ask_until_answered(connection, {"code": code, "claim": other}):
            self.wrong.append("a one-time text was read twice")
        self.once += 1

    def _ask_until_answered(self, connection: http.client.HTTPConnection, body: object) -> dict[str, object]:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                return self._post(connection, "load", body)[1]
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()
                self._stop.wait(0.01)
        return {}


def post(connection: http.client.HTTPConnection, route: str, body: object) -> Answer:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/{route}", json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
