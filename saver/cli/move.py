"""``flask --app saver move``."""

from __future__ import annotations

import sys
import time

import click
from tqdm import tqdm

from saver.cli.told import echo_audit, told
from saver.ops import Moved, Mover

_STAGES = {
    "copied": "copied; the service goes on, what changed meanwhile follows",
    "caught up": "caught up",
    "frozen": "the old database takes no writes from now on; loads go on",
    "compared": "compared",
    "kept": "kept by the new database",
}
_NEXT = """\
the old database takes no writes any more; what is left to do:
1. SAVER_DATABASE_URL: the URL you moved to, in the settings of every service and worker
2. restart them
3. flask --app saver check
4. delete the old saver.db: the texts in it stay there until then"""


class _Bar:
    """A progress bar while rows are copied, and a line for each stage, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: tqdm[None] | None = None

    def began(self, rows: int) -> None:
        self._bar = tqdm(total=rows, unit=" codes", unit_scale=True, desc="copied", leave=False)

    def copied(self, rows: int) -> None:
        if self._bar is not None:
            self._bar.update(rows)

    def reached(self, stage: str) -> None:
        self.close()
        click.echo(f"{time.monotonic() - self._began:7.2f} s  {_STAGES[stage]}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def command(mover: Mover) -> click.Command:
    """The command that moves a service, or undoes that."""

    @click.command("move")
    @click.option(
        "--to",
        metavar="URL",
        help="The database to move to, as in SAVER_DATABASE_URL; - reads it from standard input,"
        " so that no list of processes shows its password.",
    )
    @click.option("--undo", is_flag=True, help="Let the old database take writes again.")
    @told
    def move(to: str | None, undo: bool) -> None:
        """Move the service from its file to an empty database of a server, while it goes on.

        Only at the end writes are refused, and from then on the old database takes none. May be run
        again after a failure.
        """
        if to == "-":
            to = _read()
        if undo:
            _undo(mover, to)
        elif to is None:
            raise click.UsageError("name the database to move to: --to URL, or --to -")
        else:
            _move(mover, to)

    return move


def _read() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("URL", hide_input=True))
    return sys.stdin.readline().strip()


def _move(mover: Mover, to: str) -> None:
    bar = _Bar()
    try:
        moved = mover.move(to, bar)
    finally:
        bar.close()
    _echo(moved)


def _echo(moved: Moved) -> None:
    if moved.audit is None:
        click.echo(f"it was moved to {moved.place} before")
    else:
        click.echo(f"moved to {moved.place}; {moved.caught_up:,} codes changed meanwhile")
        click.echo(f"writes were refused for {moved.read_only:.2f} s, and are until you restart the service")
        echo_audit(moved.audit)
        if not moved.audit.clean:
            click.echo(f"missing {moved.audit.missing:,}, as before: flask --app saver pool fill adds them")
    click.echo(_NEXT)


def _undo(mover: Mover, to: str | None) -> None:
    undone = mover.undo(to)
    click.echo("the old database takes writes" + (" again" if undone else ""))
    if undone and to is None:
        click.echo(
            f"a service on {undone.target} must not have taken any since: they would be lost, and its codes"
            " leased twice (--undo --to URL looks)"
        )
