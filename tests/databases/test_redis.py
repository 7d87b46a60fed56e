"""Failures of the Redis with the counts: requests that cannot be counted are refused, all others work."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver.app import Services
from saver.settings import SettingsError, read_settings
from tests.support.process import free_port
from tests.support.redis_server import RedisServer
from tests.support.threads import run_concurrently

EVERY = {"misses_a_minute": 5, "writes_a_minute": 100, "loads_a_minute": 500}
# Little more than the second that it waits for an answer, on a busy machine.
# Redis gets a second; the rest is for a busy machine. A time-out that is too long takes longer still.
SOON = 8.0
CLAIM = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"
OWNED = {"code": "qqqq", "owner_token": "x"}
COUNTED = {
    "/api/v1/load": {"code": "qqqq"},
    "/api/v1/ack": {"code": "qqqq", "claim": CLAIM},
    "/api/v1/status": OWNED,
    "/api/v1/extend": {**OWNED, "expires_in": 600},
    "/api/v1/delete": OWNED,
    "/api/v1/write": {"text": "x"},
    "/load/": {"ldcode": "qqqq", "ldpassword": ""},
    "/write/": {"wrtext": "x", "wrpassword": "", "wrdelete_at": "1h"},
}
UNCOUNTED = ("/healthz", "/", "/api/v1/limits", "/api/v1/openapi.json")


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may stop or damage."""
    with RedisServer(tmp_path) as server:
        yield server


def load(client: FlaskClient, code: str = "qqqq") -> int:
    return client.post("/api/v1/load", json={"code": code}).status_code


def refused(client: FlaskClient) -> None:
    """Requests that are counted are refused quickly for a while; all others work."""
    for path, body in COUNTED.items():
        answer = client.post(path, json=body)
        assert (path, answer.status_code, answer.headers.get("Retry-After")) == (path, 503, "1")
    assert {client.get(path).status_code for path in UNCOUNTED} == {200}
    assert client.get("/metrics").status_code == 503


class TestLost:
    def test_what_is_counted_is_refused_and_it_comes_back_by_itself(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        client = make_app(rate_limit_storage=own_redis.url, **EVERY).test_client()
        code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
        for lose in (own_redis.stop, own_redis.kill):
            lose()
            refused(client)
            own_redis.start()
            assert [load(client, code) for _ in range(10)] == [200] * 10
            assert [load(client) for _ in range(6)] == [404] * 5 + [429]

    def test_the_operator_sees_it(self, make_app: Callable[..., Flask], own_redis: RedisServer) -> None:
        app = make_app(rate_limit_storage=own_redis.url, misses_a_day_in_all=50)
        assert [load(app.test_client()) for _ in range(3)] == [404] * 3

        def counts_line() -> str:
            return app.test_cli_runner().invoke(args=["check"]).stdout.splitlines()[-2]

        assert counts_line().split(maxsplit=2)[:2] == ["counts", "ok"]
        assert "3 misses and 0 refusals today" in counts_line()
        assert app.test_client().get("/readyz").json["counts"] == "ok"
        own_redis.stop()
        assert counts_line().split(maxsplit=2)[:2] == ["counts", "FAILING"]
        assert "cannot be asked (ConnectionError)" in counts_line()
        unready = app.test_client().get("/readyz")
        assert (unready.status_code, unready.json["counts"]) == (503, "failing")

    def test_servers_with_different_secrets_are_reported(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        def counts_line(secret: str) -> str:
            app = make_app(rate_limit_storage=own_redis.url, secret_key=secret * 32)
            return app.test_cli_runner().invoke(args=["check"]).stdout.splitlines()[-2]

        assert (
            counts_line("a").split(maxsplit=2)[:2]
            == counts_line("a").split(maxsplit=2)[:2]
            == ["counts", "ok"]
        )
        assert "2 servers' SAVER_SECRET_KEY differ" in counts_line("b")
        assert counts_line("a").split(maxsplit=2)[:2] == ["counts", "FAILING"]
        secrets = cast("list[bytes]", own_redis.client.zrange("saver/secrets", 0, -1))
        own_redis.client.zadd("saver/secrets", dict.fromkeys(secrets, 1))
        assert counts_line("b").split(maxsplit=2)[:2] == ["counts", "ok"]

    def test_the_start_does_not_wait_for_it(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        own_redis.stop()
        client = make_app(rate_limit_storage=own_redis.url, **EVERY).test_client()
        refused(client)
        own_redis.start()
        assert load(client) == 404

    def test_after_a_restart_no_old_connection_fails_a_request(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        app = make_app(rate_limit_storage=own_redis.url, loads_a_minute=1_000)
        clients = [app.test_client() for _ in range(8)]
        for _ in range(3):
            assert run_concurrently([partial(load, client) for client in clients]) == [404] * 8
            own_redis.kill()
            own_redis.start()
        assert run_concurrently([partial(load, client) for client in clients]) == [404] * 8

    def test_one_that_hangs_delays_no_request_for_long(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        app = make_app(rate_limit_storage=own_redis.url, **EVERY)
        client = app.test_client()
        code = client.post("/api/v1/write", json={"text": "x"}).json["code"]
        assert load(client, code) == 200
        own_redis.hang()
        for _ in range(2):
            begun = time.monotonic()
            assert load(client) == 503
            assert time.monotonic() - begun < SOON
        begun = time.monotonic()
        assert {client.get(path).status_code for path in UNCOUNTED} == {200}
        # More requests at once than connections.
        assert set(run_concurrently([lambda: load(app.test_client())] * 20)) == {503}
        assert time.monotonic() - begun < 2 * SOON
        own_redis.go_on()
        own_redis.client.flushall()
        assert [load(client, code) for _ in range(10)] == [200] * 10
        assert [load(client) for _ in range(6)] == [404] * 5 + [429]

    def test_what_is_under_way_is_answered(
        self,
        make_app: Callable[..., Flask],
        own_redis: RedisServer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The first answer has the only copy of a one-time text."""
        app = make_app(rate_limit_storage=own_redis.url, **EVERY)
        client = app.test_client()
        services: Services = app.extensions["saver"]
        code = client.post("/api/v1/write", json={"text": "only once", "once": True}).json["code"]
        read = services.store.load

        def read_and_lose(*given: object, **named: object) -> object:
            own_redis.stop()
            return read(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(services.store, "load", read_and_lose)
        assert client.post("/api/v1/load", json={"code": code}).json["text"] == "only once"
        assert "charges stay" in caplog.text
        own_redis.start()

    def test_one_without_memory_refuses_and_forgets_nothing(
        self, make_app: Callable[..., Flask], own_redis: RedisServer
    ) -> None:
        client = make_app(rate_limit_storage=own_redis.url, **EVERY).test_client()
        assert [load(client) for _ in range(3)] == [404] * 3
        own_redis.client.config_set("maxmemory-policy", "noeviction")
        own_redis.client.config_set("maxmemory", 1)
        for path, body in COUNTED.items():
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), path
        assert client.get("/metrics").status_code == 200
        own_redis.client.config_set("maxmemory", 0)
        assert [load(client) for _ in range(3)] == [404, 404, 429]


class TestPasswords:
    PASSWORD = "CANARY%2Fof%40redis"
    PLAIN = "CANARY/of@redis"

    @pytest.fixture
    def locked(self, tmp_path: Path) -> Iterator[RedisServer]:
        with RedisServer(tmp_path, password=self.PLAIN) as server:
            yield server

    def test_the_right_one_of_the_url_opens(
        self, make_app: Callable[..., Flask], locked: RedisServer
    ) -> None:
        client = make_app(
            rate_limit_storage=f"redis://:{self.PASSWORD}@{locked.address}", **EVERY
        ).test_client()
        assert [load(client) for _ in range(6)] == [404] * 5 + [429]

    @pytest.mark.parametrize("user", ["", ":CANARYwrong@", "CANARYuser:CANARYwrong@"])
    def test_with_a_wrong_password_redis_counts_as_lost_and_the_password_is_not_shown(
        self,
        make_app: Callable[..., Flask],
        locked: RedisServer,
        user: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        app = make_app(rate_limit_storage=f"redis://{user}{locked.address}", log_level="DEBUG", **EVERY)
        client = app.test_client()
        refused(client)
        services: Services = app.extensions["saver"]
        said = caplog.text + repr(services.settings) + client.post("/api/v1/load", json={"code": "qqqq"}).text
        assert "storage: AuthenticationError" in said
        assert "CANARY" not in said

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:CANARY/x@127.0.0.1:6379",
            "redis://:CANARY@127.0.0.1:CANARY",
            "memory://:CANARY@",
            "CANARY",
            "http://CANARY",
        ],
    )
    def test_a_url_that_cannot_be_is_named_at_the_start_and_not_repeated(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        monkeypatch.setenv("SAVER_RATE_LIMIT_STORAGE", url)
        with pytest.raises(
            SettingsError, match=r"^SAVER_RATE_LIMIT_STORAGE: must be a URL that begins"
        ) as fault:
            read_settings()
        assert "CANARY" not in str(fault.value)


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """A self-signed certificate for this machine."""
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
        subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
        return tmp_path / "certificate.pem"

    def test_it_counts_over_tls_and_only_with_one_that_is_trusted(
        self, make_app: Callable[..., Flask], tmp_path: Path, certificate: Path
    ) -> None:
        port = free_port()
        tls = [
            "--tls-port",
            str(port),
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(tmp_path / "key.pem"),
        ]
        with RedisServer(tmp_path, *tls, "--tls-auth-clients", "no"):
            url = f"rediss://127.0.0.1:{port}"
            trusting = make_app(rate_limit_storage=f"{url}?ssl_ca_certs={certificate}", **EVERY).test_client()
            assert [load(trusting) for _ in range(6)] == [404] * 5 + [429]
            refused(make_app(rate_limit_storage=url, **EVERY).test_client())


def test_by_a_unix_socket(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(tmp_path, "--unixsocket", str(path)):
        client = make_app(rate_limit_storage=f"redis+unix://{path}", **EVERY).test_client()
        assert [load(client) for _ in range(6)] == [404] * 5 + [429]
