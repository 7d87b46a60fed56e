"""The composition root: every room is made here, once, for production and tests alike."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, cast

from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask, Response, request
from flask_cors import CORS
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from redis import Redis
from sqlalchemy import URL, Engine

from saver import cli, web
from saver.api import health, legacy, openapi, problems, v1
from saver.codes import SPACE
from saver.database import SCHEMES, database_for, engine_options, is_supported, tables, url_of
from saver.database.disk import Disk, Reserve
from saver.key_deriver import KeyDeriver
from saver.ops import Backups, Check, CopyToServer, OperatorLog, Quarantine, RestorePolicy, Restorer
from saver.ops.health import Readiness
from saver.ops.metrics import Metrics
from saver.ratelimit import Counters
from saver.ratelimit.mapped_file import MappedFileCounters
from saver.ratelimit.redis import RedisCounters
from saver.ratelimit.rules import RateLimits
from saver.receipts import Receipts
from saver.receipts.file import FileReceipts
from saver.receipts.redis import RedisReceipts
from saver.redis_client import make_pool
from saver.secret import load_secret
from saver.service import TextService
from saver.settings import Settings, SettingsError, environment_of_others, read_settings
from saver.store import Clock, Store, TextStore

ROOT = Path(__file__).resolve().parent.parent

# Anchored at both ends: the library matches from the start only.
EXTENSION_ORIGINS = [
    r"^chrome-extension://[a-p]{32}$",
    r"^moz-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
]
_NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'"
_DENIED = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope"
    " magnetometer microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock"
    " serial usb xr-spatial-tracking"
)
_PERMISSIONS = ", ".join(
    [*(f"{feature}=()" for feature in _DENIED.split()), "clipboard-read=(self)", "clipboard-write=(self)"]
)


@dataclass(frozen=True, slots=True)
class Services:
    """What the worker and the command line work with; ``app.extensions["saver"]``."""

    settings: Settings
    store: TextStore
    readiness: Readiness
    rate_limits: RateLimits
    tools: cli.OperatorTools


def create_app(
    settings: Settings | None = None,
    clock: Clock = time.time,
    random: Random | None = None,
    *,
    pool_size: int = SPACE,
) -> Flask:
    """Make the app. ``clock`` tells UTC seconds; ``random`` is the system's CSPRNG outside of tests.

    ``pool_size`` is how many codes there must be in all: fewer in tests that need no full pool.

    Raises SettingsError when the settings are at fault.
    """
    settings = settings or read_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = Flask("saver", static_folder=None)
    counts, receipts = _beside(settings)
    rate_limits = RateLimits(counts, settings, clock=clock, secret=load_secret(settings))
    store = _store(app, settings, receipts, clock, random or SystemRandom(), pool_size)
    services = _services(app, settings, store, rate_limits, clock)
    app.extensions["saver"] = services
    # A redirect would send the text again, in the clear where a proxy ends TLS, and to any Host.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    _routes(app, services, settings, rate_limits)
    problems.register(app)
    app.after_request(_headers)
    cors = CORS(
        resources={r"^/(api/v1/.*|write/?|load/?)$": {}},
        origins=EXTENSION_ORIGINS,
        methods=["GET", "POST"],
        allow_headers=["Content-Type", "Idempotency-Key"],
        # By the service's clock a client knows how long a text still lives.
        expose_headers=["Date", "Retry-After"],
        max_age=600,
        always_send=False,
    )
    _for_other_origins(app, cors)
    cli.register(app, services.store, services.tools)
    return app


def database_of(settings: Settings) -> str | URL:
    """Where the texts lie: the URL that is set, or the file in the data directory."""
    return settings.database or url_of(settings.data_dir.resolve() / "saver.db")


def _store(  # noqa: PLR0913, PLR0917
    app: Flask, settings: Settings, receipts: Receipts, clock: Clock, random: Random, pool_size: int
) -> TextStore:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = database_of(settings)
    if not is_supported(address):
        raise SettingsError(f"SAVER_DATABASE_URL: must be a URL that begins with {SCHEMES}")
    app.config["SQLALCHEMY_DATABASE_URI"] = address
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(address, settings.threads)
    db = SQLAlchemy(app, metadata=tables.metadata)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        database = database_for(app.extensions["sqlalchemy"].engine)
    database.prepare()
    deriver, secret = KeyDeriver(settings.derive_at_once), load_secret(settings)
    reserve = Reserve(settings.disk_reserve, settings.disk_reserve_percent)
    disk = Disk(database.file, reserve)
    return TextStore(
        Store(
            database,
            deriver,
            receipts,
            clock,
            random,
            secret,
            cool_down=settings.rest,
            disk=disk,
            max_bytes=settings.live_bytes_in_all,
            pool_size=pool_size,
        )
    )


def _services(
    app: Flask, settings: Settings, store: TextStore, rate_limits: RateLimits, clock: Clock
) -> Services:
    database = store.database
    head = ScriptDirectory(str(ROOT / "migrations")).get_current_head() or ""
    readiness = Readiness(
        database,
        clock,
        head=head,
        sweep_every=settings.sweep_every,
        can_count=rate_limits.can_count,
        has_room=partial(store.has_room, settings.max_text_bytes),
    )
    longest = max(settings.max_expires_in, settings.max_expires_in_sealed)
    rules = RestorePolicy(head, settings.rest, longest)
    tools = cli.OperatorTools(
        Backups(database, store, clock, environment_of_others),
        Restorer(database, rules, clock),
        Quarantine(database, rules, clock),
        Check(database, store, readiness, settings.data_dir, rate_limits),
        CopyToServer(database, head, partial(_migrate, app), clock),
        OperatorLog(settings.data_dir / "operator.log", clock),
        settings.data_dir.resolve() / "backups",
    )
    return Services(settings, store, readiness, rate_limits, tools)


def _migrate(app: Flask, engine: Engine) -> None:
    """Bring another database than the app's own to its schema."""
    with app.app_context():
        config = app.extensions["migrate"].migrate.get_config()
        config.attributes["engine"] = engine
        command.upgrade(config, "head")


def _routes(app: Flask, services: Services, settings: Settings, rate_limits: RateLimits) -> None:
    service = TextService(services.store, rate_limits, settings)
    app.register_blueprint(v1.V1(service, settings).blueprint())
    app.register_blueprint(openapi.blueprint(settings))
    app.register_blueprint(legacy.LegacyApi(service, settings).blueprint())
    metrics = Metrics(services.store, rate_limits, services.readiness)
    app.register_blueprint(health.Health(services.readiness, metrics, settings).blueprint())
    app.register_blueprint(web.blueprint())


def _beside(settings: Settings) -> tuple[Counters, Receipts]:
    """Where budgets are counted and receipts noted: in Redis, if there is one, or in files."""
    if not settings.has_redis:
        return _counts(settings), FileReceipts(settings.data_dir.resolve() / "receipts.db")
    try:
        pool = make_pool(settings.counts, settings.threads + 2)
    except (TypeError, ValueError):
        # Its message is not repeated: the URL may have a password.
        raise SettingsError(
            "SAVER_LIMITS_URL: has an option that is none, or a value that it cannot have"
        ) from None
    return _counts(settings, connection_pool=pool), RedisReceipts(Redis(connection_pool=pool))


def _counts(settings: Settings, **options: Any) -> Counters:
    # The extension is asked for the storage alone and sits on an app of its own: what it
    # does before and after every view, without a limit of its own, costs a sixth of a load.
    limiter = Limiter(
        key_func=lambda: "",
        app=Flask("limits"),
        storage_uri=settings.counts,
        storage_options=options,
        strategy="fixed-window",
    )
    return cast(MappedFileCounters | RedisCounters, limiter.storage)


def _for_other_origins(app: Flask, cors: CORS) -> None:
    """Let the extension look at requests that have an origin.

    At others it does nothing, for a twentieth of what a load costs.
    """
    beside = Flask("cors", static_folder=None)
    cors.init_app(beside)
    [answer] = beside.after_request_funcs[None]

    @app.after_request
    def after(response: Response) -> Response:
        found: Response = answer(response) if "Origin" in request.headers else response  # type: ignore[assignment]
        return found


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", _NOTHING_ALLOWED)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    # A page that opened this one is cut off from it: it could steer it from code to code.
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # The extension's requests are CORS requests, to which this does not apply.
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = _PERMISSIONS
    is_preflight = request.method == "OPTIONS" and response.status_code == HTTPStatus.OK
    if is_preflight or response.status_code == HTTPStatus.NO_CONTENT:
        headers.pop("Content-Type", None)
    return response
