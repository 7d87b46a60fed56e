"""Metrics: correct numbers, only for allowed addresses, and nothing private."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from saver.app import Services
from saver.codes import SPACE
from tests.conftest import ALL_DATABASES, Clock
from tests.support.texts import save

DATABASES = ALL_DATABASES


def figures(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {sample.name + "".join(sample.labels.values()): sample.value for sample in samples}


def test_the_figures_are_those_of_the_database(make_app: Callable[..., Flask], clock: Clock) -> None:
    app = make_app(misses_a_minute=4, misses_a_day_in_all=1_000)
    client, services = app.test_client(), app.extensions["saver"]
    services.readiness.record_heartbeat()
    store = services.store
    save(store, "short", 60)
    save(store, "open", 3_600)
    save(store, "sealed", 3_600, "password")
    for _ in range(6):
        client.post("/api/v1/load", json={"code": "qqqq"})
    clock.tick(90)
    seen = figures(client)
    assert (seen["saver_codesfree"], seen["saver_codeslive"], seen["saver_codesresting"]) == (1, 2, 0)
    assert (seen["saver_live_textsopen"], seen["saver_live_textssealed"]) == (1, 1)
    assert (seen["saver_misses_today"], seen["saver_requests_refused_today"]) == (4, 2)
    assert seen["saver_expected_stranger_hits_per_day"] == pytest.approx(4 * 1 / SPACE)
    assert (seen["saver_oldest_overdue_seconds"], seen["saver_sweeper_heartbeat_age_seconds"]) == (30, 90)
    assert seen["saver_writes_refused"] == 0
    assert seen["saver_requests_cut_off_today"] == 0
    services.rate_limits.count_slow_requests(3)
    assert figures(client)["saver_requests_cut_off_today"] == 3
    store.sweep(10)
    assert figures(client)["saver_codesresting"] == 1


@pytest.mark.databases("sqlite")
def test_a_disk_without_room_is_seen(make_app: Callable[..., Flask]) -> None:
    # More than any disk has.
    client = make_app(disk_reserve=1 << 60).test_client()
    seen = figures(client)
    assert (seen["saver_writes_refused"], seen["saver_disk_free_bytes"] > 0) == (1, True)
    assert client.post("/api/v1/write", json={"text": "x"}).json["type"] == "urn:saver:problem:full"
    assert client.get("/readyz").json["writes"] == "refused"
    assert seen["saver_disk_reserve_bytes"] == 1 << 60


def test_the_age_of_the_last_backup_is_shown(
    make_app: Callable[..., Flask], clock: Clock, tmp_path: Path
) -> None:
    client = (app := make_app(misses_a_day_in_all=1_000)).test_client()
    assert "saver_last_backup_age_seconds" not in figures(client)
    services: Services = app.extensions["saver"]
    for seconds in (50, 70):
        services.tools.backup.make(tmp_path, 7)
        clock.tick(seconds)
        assert figures(client)["saver_last_backup_age_seconds"] == seconds
    assert figures(client)["saver_misses_limit"] == 1_000
    (tmp_path / "data" / "last_backup").write_text("damaged")
    assert "saver_last_backup_age_seconds" not in figures(client)


def test_without_a_limit_of_all_misses_none_is_shown(client: FlaskClient) -> None:
    assert "saver_misses_limit" not in figures(client)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("POST", "/api/v1/load", "v1.load", 415),
        ("POST", "/api/v1/load/", "v1.load", 415),
        ("GET", "/api/v1/load", "v1.load", 405),
        ("OPTIONS", "/api/v1/write", "v1.write", 200),
        ("POST", "/load/", "legacy.load", 415),
        ("GET", "/", "web.page", 200),
        ("GET", "/static/1/web/page.js", "web.file", 200),
        ("GET", "/static/1/web/nothing.js", "web.file", 404),
        ("GET", "/readyz", "health.readyz", 503),
        ("GET", "/qqqq", "unknown", 404),
        ("GET", "/static", "unknown", 404),
        ("POST", "/api//v1/load", "unknown", 404),
        ("GET", "/none", "unknown", 404),
    ],
)
def test_a_request_is_counted_under_its_route_and_status(
    client: FlaskClient, method: str, path: str, route: str, status: int
) -> None:
    assert client.open(path, method=method).status_code == status
    seen = figures(client)
    counted = {
        name: value for name, value in seen.items() if name.startswith("saver_requests_total") and value
    }
    assert counted == {f"saver_requests_total{route}{status}": 1}
    durations = {name: value for name, value in seen.items() if "duration_seconds_count" in name}
    assert durations == {f"saver_request_duration_seconds_count{route}": 1}


def test_a_fault_is_counted(app: Flask) -> None:
    app.view_functions["v1.limits"] = lambda: str(1 / 0)
    client = app.test_client()
    assert client.get("/api/v1/limits").status_code == 500
    assert figures(client)["saver_requests_totalv1.limits500"] == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("192.0.2.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.1"}, 404),
        ("", {}, 404),
    ],
)
def test_only_allowed_peers_see_them(
    client: FlaskClient, address: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_behind_a_proxy_the_one_it_names_counts(make_app: Callable[..., Flask]) -> None:
    client = make_app(trusted_proxies="127.0.0.1", metrics_allowed="10.0.0.0/8").test_client()
    for hop, status in (("10.1.2.3", 200), ("192.0.2.1", 404)):
        assert client.get("/metrics", headers={"X-Forwarded-For": hop}).status_code == status


def test_nothing_private_is_in_a_label(client: FlaskClient, services: Services, codes: list[str]) -> None:
    client.post("/api/v1/write", json={"text": "CANARY"})
    client.post("/api/v1/load", json={"code": "qqqq"}, environ_overrides={"REMOTE_ADDR": "192.0.2.77"})
    metrics = client.get("/metrics").text
    assert not re.search("CANARY|192.0.2|qqqq|/api/|" + "|".join(codes), metrics)
