"""Budgets in a real Redis: exact over processes, and nothing passes when it is away."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from flask import Flask

from saver.codes import Code
from tests.conftest import NO_LIMITS, put_codes
from tests.server import Server, free_port, wait_until

PATIENCE = 30


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[None]:
    """A Redis of our own that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("There is no Redis to count in: apt-get install -y redis-server", pytrace=False)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(port), "Redis does not answer")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def test_guesses_at_once_are_held_to_the_budget_over_processes(tmp_path: Path, migrated: Path) -> None:
    port = free_port()
    shutil.copy(migrated, tmp_path / "saver.db")
    put_codes(tmp_path / "saver.db", [Code("aaaa")])
    settings = {**NO_LIMITS, "misses_a_minute": 10, "limits_url": f"redis://127.0.0.1:{port}"}
    with redis_server(tmp_path, port), Server(tmp_path, settings, processes=4, threads=5) as server:
        statuses: list[int] = []

        def guess() -> None:
            for _ in range(4):
                statuses.append(server.post("/api/v1/load", {"code": "qqqq"})[0])

        threads = [threading.Thread(target=guess) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(statuses) == [404] * 10 + [429] * 70


def test_without_redis_loads_are_refused_and_it_comes_back_by_itself(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    port = free_port()
    client = make_app(misses_a_minute=5, limits_url=f"redis://127.0.0.1:{port}").test_client()

    def load() -> int:
        return client.post("/api/v1/load", json={"code": "qqqq"}).status_code

    assert load() == 503
    assert client.get("/healthz").status_code == 200
    with redis_server(tmp_path, port):
        assert load() == 404
        code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
        found = [client.post("/api/v1/load", json={"code": code}).status_code for _ in range(10)]
        assert found == [200] * 10
    assert load() == 503
