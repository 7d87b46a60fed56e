"""What every command shares: a failure becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError

from saver.database import StorageError
from saver.ops import OperationError
from saver.store import Audit

P = ParamSpec("P")


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn a database that is away or not migrated into a sentence."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except OperationError as error:
            raise click.ClickException(str(error)) from None
        except (StorageError, DBAPIError) as error:
            raise click.ClickException(
                _fault() or f"the database cannot do this now ({type(error).__name__})"
            ) from None

    return run


def _fault() -> str:
    app = click.get_current_context().ensure_object(ScriptInfo).load_app()
    fault: str = app.extensions["saver"].readiness.fault()
    return fault


def echo_audit(found: Audit) -> None:
    """Say where the codes are."""
    click.echo(f"free    {found.free:,}\nlive    {found.live:,}")
    click.echo(f"overdue {found.overdue:,}\nresting {found.resting:,}")
