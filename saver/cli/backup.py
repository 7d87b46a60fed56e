"""``flask --app saver backup``, ``restore``, ``restore-finish`` and ``check``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from saver.cli.common import add_alias, blueprint, echo_audit, get_services, report_errors
from saver.ops import RestoreResult, describe_unreadable

_codes_rest = click.option(
    "--codes-rest",
    "quarantine",
    type=click.IntRange(min=0),
    help="For how many seconds no code is leased; by default the longest life and a rest.",
)


@blueprint.cli.command("backup")
@click.option(
    "--to", type=click.Path(path_type=Path), help="A folder; backups in the data directory by default."
)
@click.option("--keep", type=click.IntRange(min=1), default=7, show_default=True, help="How many to keep.")
@report_errors
def backup(to: Path | None, keep: int) -> None:
    """Write a checked copy of the database while the service runs.

    Its texts are encrypted: a restore needs the secret key, which is not in it.
    """
    tools = get_services().tools
    if to is None:
        tools.backup_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    result = tools.backup.make(to or tools.backup_folder, keep)
    click.echo(f"{result.path}\nbytes   {result.size:,}\ndropped {result.dropped:,}")
    echo_audit(result.audit)


@blueprint.cli.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--lost", is_flag=True, help="The current database is missing or damaged.")
@_codes_rest
@report_errors
def restore(file: Path, lost: bool, quarantine: int | None) -> None:
    """Replace the database by the backup FILE, while the service is stopped.

    The current database is kept under another name. Codes that were leased since the backup rest,
    and texts that ended since then stay deleted: the current database has this information.
    Without that database, --lost and --codes-rest say what to do.
    """
    if quarantine is not None and not lost:
        raise click.UsageError("--codes-rest needs --lost")
    result = get_services().tools.restore.restore(file, lost=lost, quarantine=quarantine)
    if result.old_database:
        click.echo(f"the database so far is kept: {result.old_database}")
    _echo_restore_result(result)


@blueprint.cli.command("restore-finish")
@_codes_rest
@report_errors
def restore_finish(quarantine: int | None) -> None:
    """After pg_restore: let every code rest that may have been leased since the backup.

    For a database on a server, while the service is stopped. The backup does not contain which codes
    those are, so all codes rest; the texts that are live in the backup can be loaded meanwhile.
    """
    _echo_restore_result(get_services().tools.quarantine.run(quarantine))


add_alias(restore_finish, "restored")


@blueprint.cli.command("check")
def check() -> None:
    """Check database, codes, keys, worker, disk, counts and files; exit status 1 if a check fails."""
    passed = True
    for result in get_services().tools.check.run():
        click.echo(f"{result.name:<9}{'ok' if result.passed else 'FAILING':<8} {result.message}")
        passed = passed and result.passed
    raise SystemExit(0 if passed else 1)


def _echo_restore_result(result: RestoreResult) -> None:
    if result.quarantined_until is None:
        click.echo(f"{result.merged:,} codes leased since the backup rest")
    else:
        until = datetime.fromtimestamp(result.quarantined_until, UTC)
        click.echo(f"no code is leased before {until:%Y-%m-%dT%H:%M:%SZ}")
    echo_audit(result.audit)
    if result.unreadable:
        click.echo(describe_unreadable(result.unreadable))
