"""What ``scripts/serve`` and ``saver-server serve`` run: migrate, fill the pool, serve and sweep.

Everything is imported once, by the supervisor, and all other processes are forked from it.
Under systemd two units do it, and a third one is the worker: one runs it with ``--only-prepare``,
and one serves with ``--activated`` on the socket that systemd has opened.
"""

# ruff: noqa: E402

from __future__ import annotations

import gc

# Without a search for garbage, of which imports make none, they take a fifth less time.
gc.disable()

import argparse
import os
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import flask_migrate
from gunicorn import systemd
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

import saver.server.process  # noqa: F401 - or each process of gunicorn's would import it, as uvloop
from saver import worker
from saver.app import Services, create_app, database_url
from saver.cli import fill_with_progress
from saver.database import IncompatibleDatabaseError, StorageError, is_supported
from saver.logs import stderr_handler
from saver.server import Worker
from saver.server.logger import JsonLogger
from saver.settings import Settings, SettingsError, read_settings
from saver.supervisor import Child, block_signals, log_to, run_to_end, supervise

with suppress(ImportError):
    import uvloop  # noqa: F401 - not every machine has it
# A search would write into every page of what is imported, and the processes would share none of them.
gc.freeze()
gc.enable()

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

BACKLOG = 2048
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only gunicorn's heartbeat files, without a name


class GunicornServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured only by saver's settings: not by a file, arguments or HOME."""

    def __init__(self, settings: Settings, listener: int | None) -> None:
        self._settings = settings
        # Without one gunicorn takes the sockets of systemd, and does not unlink them.
        self._bind = {} if listener is None else {"bind": f"fd://{listener}"}
        super().__init__()

    def load_config(self) -> None:
        """Set the options of gunicorn."""
        options = {
            **self._bind,
            "worker_class": Worker,
            "workers": self._settings.processes,
            "threads": self._settings.threads,
            "graceful_timeout": 10,
            "loglevel": self._settings.log_level.lower(),
            "logger_class": JsonLogger if self._settings.log_format == "json" else Logger,
            # A log of requests would reveal who used the service when.
            "accesslog": None,
            "errorlog": "-",
            "proc_name": "saver",
            "control_socket_disable": True,
            # Whose headers are believed is for SAVER_TRUSTED_PROXIES to say.
            "forwarded_allow_ips": "",
            # A heartbeat on a slow disk would look like a process that hangs.
            "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """The app of one process, made after the fork: no connection may cross one."""
        return create_app(self._settings)


def prepare(settings: Settings) -> None:
    """Bring the schema up to date and the pool to its full number; leaves no connection open."""
    app = create_app(settings)
    services: Services = app.extensions["saver"]
    with app.app_context():
        flask_migrate.upgrade()
        fill_with_progress(services.store)
        app.extensions["sqlalchemy"].engine.dispose()


def main() -> None:
    """Serve on the socket that was handed over, until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m saver.serve", description="Run by scripts/serve and by deploy/systemd."
    )
    parser.add_argument("--listener", type=int, help="a bound socket's descriptor")
    parser.add_argument("--only-prepare", action="store_true", help="migrate, fill the pool, and end")
    parser.add_argument(
        "--activated",
        action="store_true",
        help="serve on the listener, or on systemd's socket, and prepare nothing",
    )
    arguments = parser.parse_args()
    settings = _settings()
    if arguments.only_prepare:
        _prepare_or_exit(settings)
        return
    if arguments.activated:
        if arguments.listener is None and systemd.listen_fds(unset_environment=False) != 1:
            raise SystemExit("saver: systemd handed over no socket, or more than one")
        GunicornServer(settings, arguments.listener).run()
        return
    if arguments.listener is None:
        raise SystemExit("saver: SAVER_PORT: write the port in digits")
    sys.exit(run_all(settings, arguments.listener))


def run_all(settings: Settings, listener: int) -> int:
    """Serve on a bound socket's descriptor, and sweep, until a signal comes; the exit status."""
    log_to(stderr_handler(settings.log_format, "saver: %(message)s"))
    block_signals()
    run_to_end(Child("saver-set-up", partial(_prepare_or_exit, settings)))
    _listen(listener)
    api = Child("saver-api", GunicornServer(settings, listener).run)
    # A copy kept here, or in the worker, would hold the port when the API is gone.
    os.close(listener)
    return supervise(api, partial(worker.main, settings))


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        errors = "\n".join(f"    {line}" for line in str(error).splitlines())
        raise SystemExit(f"saver: the settings are at fault:\n{errors}") from None


def _prepare_or_exit(settings: Settings) -> None:
    try:
        prepare(settings)
    except SettingsError as error:
        raise SystemExit(f"saver: {error}") from None
    except (ArgumentError, ImportError) as error:
        raise SystemExit(f"saver: SAVER_DATABASE_URL is at fault: {error}") from None
    except IncompatibleDatabaseError as error:
        raise SystemExit(f"saver: SAVER_DATABASE_URL: {error}") from None
    except DBAPIError as error:
        raise SystemExit(
            f"saver: the database {_database_name(settings)} does not work: {error.orig}"
        ) from None
    except (OSError, StorageError) as error:
        storage = (
            f"the data directory {settings.data_dir.resolve()} or the database {_database_name(settings)}"
        )
        raise SystemExit(f"saver: {storage} does not work: {error}") from None


def _database_name(settings: Settings) -> str:
    """The file or the name, without the rest of a URL that may have a password."""
    url = database_url(settings)
    return (is_supported(url) and make_url(url).database) or ""


def _listen(descriptor: int) -> None:
    # Two processes may bind the port before either listens: the second one fails here.
    bound = socket.socket(fileno=descriptor)
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        raise SystemExit(f"saver: the port was taken meanwhile: {error.strerror}") from None
    finally:
        bound.detach()


if __name__ == "__main__":
    main()
