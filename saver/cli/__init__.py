"""The operator's commands: ``flask --app saver COMMAND``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from saver.cli import copy
from saver.cli.progress import progress_bar
from saver.cli.told import echo_audit, told
from saver.codes import SPACE, BadCodeError, Code
from saver.ops import Backups, Check, CopyToServer, OperatorLog, Quarantine, Restorer, RestoreResult
from saver.store import TextStore

_BATCH = 200


class _CodeType(click.ParamType[Code]):
    name = "code"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Code:
        try:
            return Code.parse(value)
        except BadCodeError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, slots=True)
class OperatorTools:
    """The deeds of upkeep; ``backups`` is the folder where they lie unless another is named."""

    backup: Backups
    restore: Restorer
    aftermath: Quarantine
    check: Check
    copy: CopyToServer
    actions: OperatorLog
    backups: Path


def register(app: Flask, store: TextStore, tools: OperatorTools) -> None:
    """Add the commands to ``flask --app saver``."""
    app.cli.add_command(_pool(store))
    app.cli.add_command(_sweep(store))
    app.cli.add_command(_remove(store, tools.actions))
    app.cli.add_command(_backup(tools))
    app.cli.add_command(_restore(tools.restore))
    app.cli.add_command(_restored(tools.aftermath))
    app.cli.add_command(copy.command(tools.copy))
    app.cli.add_command(copy.alias(tools.copy))
    app.cli.add_command(_check(tools.check))


def fill_with_progress(store: TextStore) -> int:
    """Fill the pool under a progress bar; how many codes were missing."""
    added = 0
    with progress_bar("pool", SPACE) as advance:
        for step in store.fill():
            added += step.added
            advance(step.codes)
    return added


def _pool(store: TextStore) -> click.Group:
    group = AppGroup("pool", help="The codes: fill, audit, count.")

    @group.command()
    @told
    def fill() -> None:
        """Add every code that is nowhere yet; may be stopped and run again."""
        click.echo(f"{fill_with_progress(store):,} codes added")

    @group.command()
    @told
    def count() -> None:
        """Say how many codes are free, live and resting."""
        echo_audit(store.audit())

    @group.command()
    @told
    def audit() -> None:
        """Check that every code is in exactly one place; exit status 1 if not."""
        found = store.audit()
        echo_audit(found)
        click.echo(
            f"missing {found.missing:,}\ntwice   {found.both:,}\n{'clean' if found.clean else 'NOT CLEAN'}"
        )
        raise SystemExit(0 if found.clean else 1)

    return group


def _sweep(store: TextStore) -> click.Command:
    @click.command("sweep")
    @told
    def sweep() -> None:
        """Wipe expired texts and give rested codes back, once, until nothing is left to do."""
        wiped = freed = 0
        more = True
        while more:
            swept = store.sweep(_BATCH)
            wiped, freed, more = wiped + swept.wiped, freed + swept.freed, swept.more
        click.echo(f"{wiped:,} wiped, {freed:,} given back")

    return sweep


def _remove(store: TextStore, actions: OperatorLog) -> click.Command:
    @click.command("remove")
    @click.argument("code", type=_CodeType())
    @click.option("--reason", required=True, help="Why; it is kept in operator.log, the code is not.")
    @click.option(
        "--at",
        type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"]),
        help="When the text was seen, in UTC (2026-11-21T08:00Z): one saved later is spared.",
    )
    @told
    def remove(code: Code, reason: str, at: datetime | None) -> None:
        """End the text under CODE now, for instance after an abuse report.

        Codes are used again: with --at a text that was saved after the report is not touched.
        """
        if re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", reason):
            raise click.UsageError("--reason must not name the code: it is kept, and no code is in any log")
        removed = store.remove(code, None if at is None else int(at.replace(tzinfo=UTC).timestamp()))
        click.echo("removed" if removed else "there is no live text under this code")
        try:
            actions.note(f"{'1 text' if removed else 'no text'} removed by the operator: {reason!r}")
        except OSError as error:
            # The text comes first, so this is said of it afterwards.
            raise click.ClickException(f"operator.log cannot be written: {error.strerror}") from None
        raise SystemExit(0 if removed else 1)

    return remove


def _backup(tools: OperatorTools) -> click.Command:
    @click.command("backup")
    @click.option(
        "--to", type=click.Path(path_type=Path), help="A folder; backups in the data directory if not named."
    )
    @click.option(
        "--keep", type=click.IntRange(min=1), default=7, show_default=True, help="How many to keep."
    )
    @told
    def backup(to: Path | None, keep: int) -> None:
        """Write a checked copy of the database while the service goes on.

        The open texts in it can be read by whoever may read the file, until it is deleted.
        """
        if to is None:
            tools.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = tools.backup.make(to or tools.backups, keep)
        click.echo(f"{made.path}\nbytes   {made.size:,}\ndropped {made.dropped:,}")
        echo_audit(made.audit)

    return backup


def _restore(restorer: Restorer) -> click.Command:
    @click.command("restore")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--lost", is_flag=True, help="The database in use so far is not there or not whole.")
    @click.option(
        "--codes-rest",
        type=click.IntRange(min=0),
        help="With --lost: for how many seconds no code is leased; by default the longest life and a rest.",
    )
    @told
    def restore(file: Path, lost: bool, codes_rest: int | None) -> None:
        """Put the backup FILE in the place of the database, while the service is stopped.

        The database so far is kept under another name. Codes that were leased since the backup rest,
        and texts that are gone since stay gone: that is read from the database so far.
        """
        if codes_rest is not None and not lost:
            raise click.UsageError("--codes-rest needs --lost")
        done = restorer.restore(file, lost=lost, codes_rest=codes_rest)
        if done.kept:
            click.echo(f"the database so far is kept: {done.kept}")
        _echo_restored(done)

    return restore


def _echo_restored(done: RestoreResult) -> None:
    if done.free_from is None:
        click.echo(f"{done.taken_over:,} codes leased since the backup rest")
    else:
        click.echo(
            f"no code is leased before {datetime.fromtimestamp(done.free_from, UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
    echo_audit(done.audit)


def _restored(aftermath: Quarantine) -> click.Command:
    @click.command("restored")
    @click.option(
        "--codes-rest",
        type=click.IntRange(min=0),
        help="For how many seconds no code is leased; by default the longest life and a rest.",
    )
    @told
    def restored(codes_rest: int | None) -> None:
        """After pg_restore: let every code rest that may have been leased since the backup.

        For a database that a server keeps, while the service is stopped. Nobody knows which codes those
        are, so all of them rest; texts that lived in the backup can be loaded meanwhile.
        """
        done = aftermath.settle(codes_rest)
        _echo_restored(done)

    return restored


def _check(check: Check) -> click.Command:
    @click.command("check")
    def run() -> None:
        """Look at database, codes, worker, disk, counts and files; exit status 1 if one is not well."""
        well = True
        for found in check.run():
            click.echo(f"{found.name:<9}{'ok' if found.well else 'FAILING':<8} {found.told}")
            well = well and found.well
        raise SystemExit(0 if well else 1)

    return run
