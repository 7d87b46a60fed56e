"""A live transfer whose service is killed and started again before each kind of message."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom
from threading import Lock

from saver.codes import Code
from saver.live_transfer.attempts import Attempts
from saver.live_transfer.client import Joiner, Maker
from saver.live_transfer.meeting import Tools
from saver.live_transfer.messages import Messages, Response
from tests.conftest import NO_LIMITS
from tests.support.live_http import HttpTransport
from tests.support.process import wait_until
from tests.support.server import Server
from tests.support.snapshot import put_codes

TEXT = "one text"


class Restarting(HttpTransport):
    """Kills the server before the first message of each kind, and starts it again."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.url)
        self._server = server
        self._lock = Lock()
        self.restarted: set[str] = set()

    def post(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
        """One message at a time, so that none is under way when the server is killed."""
        with self._lock:
            if path not in self.restarted:
                self.restarted.add(path)
                self._server.kill()
                self._server.start()
            return super().post(path, body, headers)


def test_a_transfer_outlives_every_restart(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "saver.db")
    put_codes(tmp_path / "saver.db", [Code.nth(0)])
    with Server(tmp_path, NO_LIMITS) as server, ThreadPoolExecutor(1) as pool:
        transport = Restarting(server)
        tools = Tools(Messages(transport, time.sleep), server.url, SystemRandom(), time.monotonic)
        maker = Maker.open(tools, "sender")
        sent = pool.submit(maker.hand_over, TEXT)
        wait_until(lambda: "live/poll" in transport.restarted, "the maker waits")
        joiner = Joiner(tools, maker.live_code, Attempts(time.monotonic))
        assert joiner.receive() == TEXT
        sent.result(30)
    kinds = {"open", "offer", "join", "answer", "poll", "confirm", "deliver"}
    assert {f"live/{kind}" for kind in kinds} | {"write", "load", "ack"} <= transport.restarted
