"""A connection manager whose clock only the test moves, and its clients."""

from __future__ import annotations

import asyncio
import socket

from saver.server.connection import Connection
from saver.server.connection_manager import ConnectionManager
from tests.support.slow import Reply, parse


class FakeClockManager(ConnectionManager):
    """A manager; only ``pass_by`` moves its clock."""

    seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.waiting.expire(self.seconds)


class Peer:
    """A client of a manager, over a real socket."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    @classmethod
    async def of(cls, manager: ConnectionManager, address: tuple[str, int] | str = "") -> Peer:
        client, server = socket.socketpair()
        for end in (client, server):
            end.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: Connection(manager, address, ("127.0.0.1", 80)), server)
        return cls(client)

    async def send(self, data: bytes) -> None:
        """Send, and wait until the server has read all of it."""
        await asyncio.get_running_loop().sock_sendall(self._client, data)
        for _ in range(5):
            await asyncio.sleep(0)

    async def reply(self) -> Reply:
        """The last answer; the server closes after it."""
        pieces = []
        while piece := await asyncio.get_running_loop().sock_recv(self._client, 65_536):
            pieces.append(piece)
        self._client.close()
        return parse(b"".join(pieces))
