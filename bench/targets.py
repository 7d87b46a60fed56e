"""The services that bench/peers compares: each as a real server, with its requests. saver is the first."""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.common import TEXT
from bench.processes import cpu_seconds_of, memory_of, tree
from bench.servers import Served

_LIFE = 86_400
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, and a string that the body of every correct response contains."""

    method: str
    path: str
    contains: str
    body: str = ""
    content_type: str = ""

    def raw(self, host: str) -> bytes:
        """The bytes that go over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", f"Accept: {_JSON}"]
        if self.body:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body.encode())}"]
        return "\r\n".join([*lines, "", self.body]).encode()


class Target(ABC):
    """One service. ``with target.running(folder): …`` runs it with everything that it needs."""

    # Matches the name of a text in the response to its creation.
    name_pattern: ClassVar[re.Pattern[str]]
    # A text can be read only once.
    once: ClassVar[bool] = False

    # It runs as it is deployed, so its memory can be compared.
    as_deployed: bool = True
    # The operations in which saver is to be faster in every set.
    goals: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""
        # The processes that answer requests, and the roots of all processes.
        self.workers: list[int] = []
        self.roots: list[int] = []

    @property
    def host(self) -> str:
        """Address and port."""
        return self.url.removeprefix("http://")

    @abstractmethod
    def create(self) -> Request:
        """Create a text of 1 KB."""

    @abstractmethod
    def read(self, name: str) -> Request:
        """Read the text of this name."""

    @abstractmethod
    def start(self, stack: ExitStack, folder: Path) -> None:
        """Start with an empty store in ``folder``; what is started ends with the stack."""

    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        """Started in ``folder``, and ended."""
        with ExitStack() as stack:
            self.start(stack, folder)
            self._wait_until_loaded()
            yield

    def _wait_until_loaded(self) -> None:
        """A server listens before its processes have imported the app; wait until they do nothing more."""
        used = -1.0
        while (now := sum(self.cpu_seconds())) > used:
            used = now
            time.sleep(0.5)

    def cpu_seconds(self) -> list[float]:
        """The processor time of each process that answers."""
        return [cpu_seconds_of(pid) for pid in self.workers]

    def helper_cpu_seconds(self) -> float:
        """The processor time of all others: databases, masters, the worker that sweeps."""
        others = self._processes() - set(self.workers)
        return sum(cpu_seconds_of(pid) for pid in others)

    def memory(self) -> float:
        """The memory of all its processes, in MB."""
        return sum(memory_of(pid) for pid in self._processes())

    def _processes(self) -> set[int]:
        return {pid for root in self.roots for pid in tree(root)}


class Saver(Target):
    """saver as scripts/serve starts it, its worker included, from a data folder with a full pool."""

    name_pattern = re.compile(r'"code": ?"(\w{4})"')

    def __init__(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(name)
        self._settings = settings or {}

    def create(self) -> Request:
        body = json.dumps({"text": TEXT, "expires_in": _LIFE})
        return Request("POST", "/api/v1/write", '"owner_token"', body, _JSON)

    def read(self, name: str) -> Request:
        return Request("POST", "/api/v1/load", TEXT, json.dumps({"code": name}), _JSON)

    def start(self, stack: ExitStack, folder: Path) -> None:
        served = stack.enter_context(Served.app(folder, self._settings))
        self.url, self.workers, self.roots = served.url, served.workers, [served.pid]
