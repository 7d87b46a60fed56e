"""Fixtures. Everything is real except the clock: SQLite files made by the migrations, a real server."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade

from saver import create_app
from saver.app import Services
from saver.codes import SPACE, Code
from saver.ops import CopyToServer
from saver.ratelimit.rules import RateLimits
from saver.settings import Settings
from saver.store import TextStore
from tests.support import leftovers
from tests.support.markers import add_markers
from tests.support.postgres import QUICK, Cluster, PostgresDatabase
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.snapshot import Database, put_codes

NOW = 1_800_000_000
NO_LIMITS = {
    "writes_a_minute": 0,
    "writes_an_hour": 0,
    "writes_an_hour_per_network": 0,
    "loads_a_minute": 0,
    "loads_a_minute_per_network": 0,
    "misses_a_minute": 0,
    "misses_an_hour": 0,
    "misses_a_day": 0,
    "misses_a_day_per_network": 0,
    "misses_a_day_in_all": 0,
    "live_requests_a_minute": 0,
    "live_requests_a_minute_per_network": 0,
    "live_texts": 0,
    "live_bytes": 0,
    "live_texts_per_network": 0,
    "live_bytes_per_network": 0,
    "live_bytes_in_all": 0,
    "disk_reserve": 0,
    "disk_reserve_percent": 0,
}


ALL_DATABASES = ("sqlite", "postgresql")


class Clock:
    """A clock that stands still until it is moved; UTC seconds."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


class ClockOfBoth(Clock):
    """Redis has a clock of its own, which is moved together with the test's."""

    def __init__(self, redis: RedisServer | None) -> None:
        super().__init__()
        self._redis = redis

    def tick(self, seconds: float) -> None:
        super().tick(seconds)
        if self._redis:
            self._redis.age(seconds)


def settings_in(folder: Path, **changed: object) -> Settings:
    """Settings that ignore the environment, without rate limits except for those that a test sets."""
    return Settings(_env_file=None, data_dir=folder, **{**NO_LIMITS, **changed})  # type: ignore[arg-type]


@contextmanager
def look_up(
    rate_limits: RateLimits,
    address: str,
    not_found: type[Exception],
    code: str = "qqqq",
    *,
    with_password: bool = False,
) -> Iterator[bool]:
    """Look up a code, as a request does."""
    with (
        rate_limits.limit_lookup(address) as lookup,
        lookup.for_code(code, not_found, with_password=with_password) as only_sealed,
    ):
        yield only_sealed


def pytest_configure() -> None:
    leftovers.watch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    add_markers(items)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with each database that it names, or its module by ``DATABASES``; else with SQLite."""
    if "database_kind" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("databases")
        databases = marker.args if marker else getattr(metafunc.module, "DATABASES", ("sqlite",))
        metafunc.parametrize("database_kind", databases, scope="session")


def address_of(database: Database) -> dict[str, object]:
    """The settings that name a database."""
    return {"database_url": database.address} if isinstance(database, PostgresDatabase) else {}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAVER_ENV_FILE", "")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the migrations made, without free codes."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(settings_in(folder))
    with app.app_context():
        upgrade()
    database = folder / "saver.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def codes() -> list[str]:
    """The free codes of a test; few, so that each is soon leased again."""
    return ["aaaa", "aAbB", "wUrp", "ZZZZ"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that does not wait for the disk."""
    with Cluster(QUICK) as found:
        yield found


@pytest.fixture(scope="session")
def migrated_on_server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> PostgresDatabase:
    """The same on PostgreSQL."""
    database = cluster.make()
    app = create_app(settings_in(tmp_path_factory.mktemp("server"), database_url=database.address))
    with app.app_context():
        upgrade()
        app.extensions["sqlalchemy"].engine.dispose()
    return database


@pytest.fixture
def make_database(
    database_kind: str, tmp_path: Path, migrated: Path, codes: list[str], request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Database]]:
    """A database with the test's free codes for a folder; the same database for the same folder name."""
    made: dict[str, Database] = {}

    def make(folder: str = "data") -> Database:
        data = tmp_path / folder
        if folder in made:
            return made[folder]
        # If the test made the folder itself, it wants a database without tables.
        exists_already = data.exists()
        data.mkdir(exist_ok=True)
        if database_kind == "postgresql":
            template = None if exists_already else request.getfixturevalue("migrated_on_server")
            made[folder] = request.getfixturevalue("cluster").make(template)
        else:
            made[folder] = data / "saver.db"
            if not exists_already:
                shutil.copy(migrated, data / "saver.db")
        if not exists_already:
            put_codes(made[folder], codes)
        return made[folder]

    yield make
    for database in made.values():
        if isinstance(database, PostgresDatabase):
            request.getfixturevalue("cluster").drop(database)


@pytest.fixture
def database(make_database: Callable[[str], Database]) -> Database:
    """The database of ``app``."""
    return make_database("data")


@pytest.fixture
def make_app(
    tmp_path: Path, make_database: Callable[[str], Database], clock: Clock
) -> Iterator[Callable[..., Flask]]:
    """Make an app with its own database; settings are keyword arguments."""
    made: list[Flask] = []

    def make(folder: str = "data", *, pool_size: int = SPACE, **changed: object) -> Flask:
        place = address_of(make_database(folder))
        settings = settings_in(tmp_path / folder, **{**place, **changed})
        made.append(create_app(settings, clock, Random(4), pool_size=pool_size))
        made[-1].testing = False
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def store_with_short_timeouts(make_app: Callable[..., Flask], database: PostgresDatabase) -> TextStore:
    """A store whose statements time out soon: the URL overrides the timeouts that saver sets."""
    options = "?options=-c%20lock_timeout%3D200%20-c%20statement_timeout%3D500"
    services: Services = make_app(database_url=database.address + options).extensions["saver"]
    return services.store


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def run(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.fixture
def services(app: Flask) -> Services:
    found: Services = app.extensions["saver"]
    return found


@pytest.fixture
def store(services: Services) -> TextStore:
    return services.store


@pytest.fixture
def target(cluster: Cluster) -> Iterator[PostgresDatabase]:
    """An empty database of the server, without tables."""
    made = cluster.make()
    yield made
    cluster.drop(made)


@pytest.fixture
def copier(services: Services) -> CopyToServer:
    return services.tools.copy


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Server]:
    """The API under gunicorn with two processes, 5,000 free codes and no limits."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(migrated, folder / "saver.db")
    put_codes(folder / "saver.db", [Code.nth(number * 1_461) for number in range(5_000)])
    with Server(folder, NO_LIMITS) as server:
        yield server


@pytest.fixture(scope="session")
def started_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(started_redis: RedisServer) -> RedisServer:
    """An empty Redis. A test that stops or damages one starts its own."""
    started_redis.client.flushall()
    return started_redis
