"""What all commands share: the blueprint, the services of the app, errors as messages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import ParamSpec

import click
from flask import Blueprint, current_app
from sqlalchemy.exc import DBAPIError

from saver.database import StorageError
from saver.ops import OperationError
from saver.ops.services import Services
from saver.store import Audit

P = ParamSpec("P")

blueprint = Blueprint("cli", __name__, cli_group=None)

# flask-limiter adds commands for a storage of its own, and saver counts elsewhere. The program ``flask`` has
# imported them before the app; the service need not import them.
if _limiter_commands := sys.modules.get("flask_limiter.commands"):
    _limiter_commands.cli.hidden = True


def get_services() -> Services:
    """Return the services of the current app."""
    services: Services = current_app.extensions["saver"]
    return services


def report_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Print an error of an operation or of the database as a message, with exit status 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except OperationError as error:
            raise click.ClickException(str(error)) from None
        except (StorageError, DBAPIError) as error:
            problem = get_services().readiness.database_problem()
            raise click.ClickException(
                problem or f"the database cannot do this now ({type(error).__name__})"
            ) from None

    return run


def add_alias(command: click.Command, name: str) -> None:
    """Add a command under an old name, which help does not show."""
    alias = copy(command)
    alias.name, alias.hidden = name, True
    blueprint.cli.add_command(alias)


def echo_audit(audit: Audit) -> None:
    """Print how many codes are in each state."""
    click.echo(f"free    {audit.free:,}\nlive    {audit.live:,}")
    click.echo(f"overdue {audit.not_wiped:,}\nresting {audit.cooling_down:,}")
