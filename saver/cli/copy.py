"""``flask --app saver copy-to-server``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack

import click

from saver.cli.common import add_alias, blueprint, echo_audit, get_services, report_errors
from saver.cli.progress import progress_bar
from saver.installation import PROGRAM

_NEXT_STEPS = f"""\
the SQLite database accepts no writes any more. What is left to do:
1. SAVER_DATABASE_URL: the same URL, in the settings of every service and worker
2. start them
3. {PROGRAM} check
4. delete the old saver.db: its texts stay readable until then"""


class _Progress(ExitStack):
    """A progress bar for the rows, and a line for each stage."""

    advance: Callable[[int], None]

    def start(self, rows: int) -> None:
        self.advance = self.enter_context(progress_bar("copy", rows))

    def stage_done(self, stage: str) -> None:
        self.close()
        click.echo(stage)


@blueprint.cli.command("copy-to-server")
@click.option(
    "--to",
    metavar="URL",
    help="The database to copy to, as in SAVER_DATABASE_URL; - reads it from standard input,"
    " so that no list of processes shows its password.",
)
@click.option("--undo", is_flag=True, help="Let the SQLite database accept writes again.")
@report_errors
def copy_to_server(to: str | None, undo: bool) -> None:
    """Copy the database of a stopped service from SQLite to an empty PostgreSQL database.

    Everything is one transaction and compared row by row. Afterwards the SQLite database accepts no
    writes. If it fails it can be run again.
    """
    copier = get_services().tools.copy
    if undo:
        changed = copier.undo()
        click.echo("the SQLite database accepts writes" + (" again" if changed else ""))
        return
    if to is None:
        raise click.UsageError("name the database to copy to: --to URL, or --to -")
    with _Progress() as progress:
        result = copier.run(_read_url() if to == "-" else to, progress)
    click.echo(f"copied to {result.target}" + ("" if result.is_new else " by an earlier run"))
    echo_audit(result.audit)
    if not result.audit.is_consistent:
        click.echo(f"missing {result.audit.missing:,}, as before: {PROGRAM} pool fill adds them")
    click.echo(_NEXT_STEPS)


add_alias(copy_to_server, "move")


def _read_url() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("URL", hide_input=True))
    return sys.stdin.readline().strip()
