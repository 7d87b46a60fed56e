"""Wires the app: every object is made here, once, for production and tests alike."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Engine

from saver import cli, web
from saver.api import headers, health, legacy, live, openapi, problems, routes, v1
from saver.api.flask_app import FlaskApp
from saver.api.write_limits import WriteLimits
from saver.at_rest import Keyring
from saver.clock import Clock
from saver.codes import SPACE
from saver.database import POSTGRESQL, SCHEMES, database_for, engine_options, is_supported, tables, url_of
from saver.database.disk import Disk, Reserve
from saver.installation import MIGRATIONS
from saver.key_deriver import KeyDeriver
from saver.logs import stderr_handler
from saver.meeting_service import MeetingService
from saver.ops import (
    Backups,
    Check,
    CopyToServer,
    DumpRestorer,
    OperatorLog,
    Quarantine,
    RestorePolicy,
    Restorer,
)
from saver.ops.guessing import PublicGuessing
from saver.ops.health import Readiness
from saver.ops.last_backup import LastBackup
from saver.ops.metrics import Metrics
from saver.ops.request_counts import RequestCounts
from saver.ops.services import OperatorTools, Services
from saver.ratelimit import Counters
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.rules import RateLimits
from saver.receipts import Receipts
from saver.receipts.file import FileReceipts
from saver.secret import load_old_secrets, load_secret
from saver.service import TextService
from saver.settings import Settings, SettingsError, environment_without_settings, read_settings
from saver.store import Store, TextStore

__all__ = ["Services", "create_app", "database_url"]


def create_app(
    settings: Settings | None = None,
    clock: Clock = time.time,
    random: Random | None = None,
    *,
    pool_size: int = SPACE,
) -> Flask:
    """Make the app. ``clock`` returns UTC seconds; ``random`` is the system's CSPRNG by default.

    ``pool_size`` is how many codes there are: fewer in tests that need no full pool.

    Raises SettingsError for settings that are wrong.
    """
    settings = settings or read_settings()
    logging.basicConfig(level=settings.log_level, handlers=[stderr_handler(settings.log_format)])
    app = FlaskApp("saver", static_folder=None)
    counters, receipts = _rate_limit_and_receipt_stores(settings)
    secret = load_secret(settings)
    rate_limits = RateLimits(counters, settings, clock=clock, secret=secret)
    store = _store(app, settings, secret, receipts, clock, random or SystemRandom(), pool_size)
    services = _services(app, settings, store, rate_limits, clock)
    app.extensions["saver"] = services
    # A redirect would send the text again, unencrypted behind a proxy that ends TLS, and to any Host.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    _routes(app, services, settings, rate_limits, clock)
    problems.register(app)
    headers.register(app, services.requests)
    app.register_blueprint(cli.blueprint)
    return app


def database_url(settings: Settings) -> str | URL:
    """The database of the texts: the URL that is set, or the file in the data directory."""
    return settings.database or url_of(settings.data_dir.resolve() / "saver.db")


def _store(  # noqa: PLR0913, PLR0917
    app: Flask,
    settings: Settings,
    secret: bytes,
    receipts: Receipts,
    clock: Clock,
    random: Random,
    pool_size: int,
) -> TextStore:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = database_url(settings)
    try:
        supported = is_supported(url)
    except ImportError as error:
        raise _not_installed("SAVER_DATABASE_URL", POSTGRESQL, error) from None
    if not supported:
        raise SettingsError(f"SAVER_DATABASE_URL: must be a URL that begins with {SCHEMES}")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, settings.threads)
    db = SQLAlchemy(app, metadata=tables.metadata)
    # Its sessions, which it would close after every request, are not used.
    app.teardown_appcontext_funcs.clear()
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        database = database_for(app.extensions["sqlalchemy"].engine)
    database.prepare()
    deriver = KeyDeriver(settings.max_concurrent_kdf)
    keyring = Keyring(secret, load_old_secrets(settings))
    reserve = Reserve(settings.disk_reserve, settings.disk_reserve_percent)
    disk = Disk(database.file, reserve)
    total = settings.live_bytes_in_all
    store = Store(
        database,
        deriver,
        receipts,
        clock,
        random,
        secret,
        keyring,
        settings.code_cooldown,
        disk,
        total,
        pool_size,
    )
    return TextStore(store)


def _services(
    app: Flask, settings: Settings, store: TextStore, rate_limits: RateLimits, clock: Clock
) -> Services:
    database = store.database
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""
    readiness = Readiness(
        database,
        clock,
        head=head,
        sweep_interval=settings.sweep_interval,
        can_count=rate_limits.can_count,
        has_space_for_text=partial(store.has_room, settings.max_text_bytes),
    )
    max_lifetime = max(settings.max_expires_in, settings.max_expires_in_sealed)
    policy = RestorePolicy(head, settings.code_cooldown, max_lifetime, store.keyring.ids)
    last_backup = LastBackup(settings.data_dir.resolve() / "last_backup", clock)
    quarantine = Quarantine(database, policy, clock)
    restorer = (
        Restorer(database, database.file, policy, clock)
        if database.file
        else DumpRestorer(database, policy, quarantine, environment_without_settings)
    )
    tools = OperatorTools(
        Backups(database, store, clock, environment_without_settings, last_backup),
        restorer,
        quarantine,
        Check(database, store, readiness, settings.data_dir, rate_limits),
        CopyToServer(database, head, partial(_migrate, app), clock),
        OperatorLog(settings.data_dir / "operator.log", clock),
        settings.data_dir.resolve() / "backups",
    )
    requests = RequestCounts(
        settings.data_dir.resolve() / "requests", partial(routes.endpoints_of, app.url_map)
    )
    return Services(settings, store, readiness, rate_limits, requests, tools)


def _migrate(app: Flask, engine: Engine) -> None:
    """Migrate a database that is not the one of the app."""
    with app.app_context():
        config = app.extensions["migrate"].migrate.get_config()
        config.attributes["engine"] = engine
        command.upgrade(config, "head")


def _routes(
    app: Flask, services: Services, settings: Settings, rate_limits: RateLimits, clock: Clock
) -> None:
    service = TextService(services.store, rate_limits, settings)
    write_limits = WriteLimits(rate_limits, settings)
    write_limits.init_app(app)
    guessing = PublicGuessing(services.store, rate_limits, clock)
    api = v1.ApiV1(service, write_limits, settings, guessing)
    app.register_blueprint(api.blueprint())
    meetings = MeetingService(services.store.meetings, rate_limits)
    app.register_blueprint(live.LiveApi(meetings, write_limits, settings).blueprint())
    app.register_blueprint(openapi.blueprint(settings))
    app.register_blueprint(legacy.LegacyApi(service, write_limits, settings).blueprint())
    app.register_blueprint(health.Health(services.readiness, Metrics(services), settings).blueprint())
    app.register_blueprint(web.blueprint(api.limits_json, settings, clock))


def _rate_limit_and_receipt_stores(settings: Settings) -> tuple[Counters, Receipts]:
    """The stores in Redis, if the settings name one, else in files of the data directory."""
    if not settings.uses_redis:
        counters = MappedFileCounters(Path(settings.counters_url.removeprefix("shared://")))
        return counters, FileReceipts(settings.data_dir.resolve() / "receipts.db")
    try:
        from redis import Redis  # noqa: PLC0415 - an extra

        from saver.ratelimit.redis import RedisCounters  # noqa: PLC0415
        from saver.receipts.redis import RedisReceipts  # noqa: PLC0415
        from saver.redis_client import make_pool  # noqa: PLC0415
    except ImportError as error:
        raise _not_installed("SAVER_RATE_LIMIT_STORAGE", "redis", error) from None
    try:
        client = Redis(connection_pool=make_pool(settings.counters_url, settings.threads + 2))
    except (TypeError, ValueError):
        # The error's message is not repeated: the URL may contain a password.
        raise SettingsError(
            "SAVER_RATE_LIMIT_STORAGE: has an option that is none, or a value that it cannot have"
        ) from None
    return RedisCounters(client), RedisReceipts(client)


def _not_installed(setting: str, extra: str, error: ImportError) -> SettingsError:
    return SettingsError(
        f"{setting}: needs a Python package that is not installed ({error});"
        f" install requirements.txt, or the extra saver[{extra}]"
    )
