"""A Redis for tests, and the failures it can have."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pytest
import redis

from tests.support.process import Process, free_port, wait_until

_TIMEOUT = 30


class RedisServer:
    """``with RedisServer(folder) as server: ... server.url``; it stores nothing on a disk."""

    def __init__(self, folder: Path, *options: str, password: str = "") -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"redis://:{password}@{self.address}" if password else f"redis://{self.address}"
        self.client = redis.Redis(port=self.port, password=password or None, socket_timeout=_TIMEOUT)
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("There is no Redis to count in: apt-get install -y redis-server", pytrace=False)
        command = [program, "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        command += [*options, *(["--requirepass", password] if password else [])]
        self._process = Process(command, folder / "redis.log", self.answers)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_on()
        self.stop()
        self.client.close()

    def start(self) -> None:
        """Start it without data, and wait until it answers."""
        self._process.start()

    def stop(self) -> None:
        """Stop it as an operator would; its data is lost."""
        self._process.stop()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()

    def hang(self) -> None:
        """Stop it with SIGSTOP: its port is open, but it does not answer."""
        self._process.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it continue after ``hang``."""
        self._process.send(signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def age(self, seconds: float) -> None:
        """Let time pass for every key, as far as its expiry goes."""
        begun = self.time()
        for key in self.client.scan_iter("*"):
            self.client.pexpireat(key, self.client.pexpiretime(key) - int(seconds * 1_000))
        # A new key must not expire in the same millisecond as those that have just expired.
        wait_until(lambda: self.time() > (begun[0], begun[1] + 2_000), "the time of Redis stands still")

    def time(self) -> tuple[int, int]:
        """The clock of Redis, in seconds and microseconds."""
        return cast("tuple[int, int]", self.client.time())

    def ttls(self) -> dict[bytes, int]:
        """Each key, with the seconds until it expires."""
        return {key: cast("int", self.client.ttl(key)) for key in self.client.scan_iter()}

    def count_clients(self) -> int:
        """How many connections it has."""
        return len(cast("list[object]", self.client.client_list()))

    def dump(self) -> bytes:
        """Every key with its value, as Redis would write them to a disk."""
        return b"\n".join(key + b" " + (self.client.dump(key) or b"") for key in self.client.scan_iter("*"))

    @contextlib.contextmanager
    def monitored(self, client: redis.Redis) -> Iterator[list[str]]:
        """The commands that clients send meanwhile; ``client`` sends one itself at the end."""
        sent: list[str] = []
        with self.client.monitor() as monitor:  # type: ignore[no-untyped-call]
            yield sent
            client.echo("end")
            for seen in monitor.listen():
                if seen["command"] == "ECHO end":
                    return
                if seen["client_type"] != "lua":
                    sent.append(seen["command"].split()[0])


class LostReplyProxy:
    """``with LostReplyProxy(redis) as port:`` passes everything on, but closes before a script's reply."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listening.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_TIMEOUT)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                with client, socket.create_connection(("127.0.0.1", self._redis.port)) as redis:
                    while asked := client.recv(65_536):
                        redis.sendall(asked)
                        answer = redis.recv(65_536)
                        if b"EVALSHA" in asked:
                            break
                        client.sendall(answer)
