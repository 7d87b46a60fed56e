"""What every command has: its options, and errors as a sentence or as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from saver.client.errors import SaverError, of_live_transfer
from saver.client.session import Session
from saver.client.terminal import drop_stdout
from saver.live_transfer.errors import LiveTransferError

_OPTIONS = (
    click.option("--service", metavar="URL", help="The address of the service."),
    click.option("--json", "as_json", is_flag=True, help="Write JSON."),
    click.option("--wait", "waits", is_flag=True, help="If the service asks to come back later, do that."),
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Call a command with a session first."""

    @functools.wraps(function)
    def run(service: str | None, as_json: bool, waits: bool, **options: Any) -> None:
        try:
            with Session(service, as_json=as_json, waits=waits) as session:
                function(session, **options)
        except SaverError as error:
            raise _shown(error, as_json) from None
        except LiveTransferError as error:
            raise _shown(of_live_transfer(error), as_json) from None
        except OSError as error:
            drop_stdout()
            raise _shown(SaverError(f"Reading or writing failed: {error.strerror}."), as_json) from None

    decorated: Callable[..., None] = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _shown(error: SaverError, as_json: bool) -> SaverError:
    error.as_json = as_json
    return error
