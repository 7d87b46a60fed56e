"""``flask --app saver pool``, ``sweep`` and ``remove``: commands for codes and texts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from saver.cli.common import blueprint, echo_audit, get_services, report_errors
from saver.cli.progress import progress_bar
from saver.codes import SPACE, BadCodeError, Code
from saver.store import TextStore

_MAX_ROWS = 200


class _CodeType(click.ParamType[Code]):
    name = "code"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Code:
        try:
            return Code.parse(value)
        except BadCodeError as error:
            self.fail(str(error), param, ctx)


def fill_with_progress(store: TextStore) -> int:
    """Fill the pool and show a progress bar; return how many codes were missing."""
    added = 0
    with progress_bar("pool", SPACE) as advance:
        for step in store.fill():
            added += step.added
            advance(step.codes)
    return added


@blueprint.cli.group("pool", help="The codes: fill, audit, count.")
def pool() -> None:
    """Group the commands for the pool."""


@pool.command("fill")
@report_errors
def fill() -> None:
    """Add every missing code; may be stopped and run again."""
    click.echo(f"{fill_with_progress(get_services().store):,} codes added")


@pool.command("count")
@report_errors
def count() -> None:
    """Print how many codes are free, live and resting."""
    echo_audit(get_services().store.audit())


@pool.command("audit")
@report_errors
def audit() -> None:
    """Check that every code is in exactly one place; exit status 1 if not."""
    result = get_services().store.audit()
    echo_audit(result)
    click.echo(f"missing {result.missing:,}\ntwice   {result.duplicated:,}")
    click.echo("clean" if result.is_consistent else "NOT CLEAN")
    raise SystemExit(0 if result.is_consistent else 1)


@blueprint.cli.command("sweep")
@report_errors
def sweep() -> None:
    """Wipe all expired texts and return all codes whose rest is over to the pool."""
    wiped = freed = 0
    for result in get_services().store.sweep_all(_MAX_ROWS):
        wiped, freed = wiped + result.wiped, freed + result.freed
    click.echo(f"{wiped:,} wiped, {freed:,} given back")


@blueprint.cli.command("remove")
@click.argument("code", type=_CodeType())
@click.option("--reason", required=True, help="Why; it is written to operator.log, the code is not.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"]),
    help="When the text was seen, in UTC (2026-11-21T08:00Z): a text saved later is not removed.",
)
@report_errors
def remove(code: Code, reason: str, at: datetime | None) -> None:
    """End the text under CODE now, for instance after an abuse report.

    Codes are used again: with --at a text that was saved after the report is not touched.
    """
    if re.search(rf"(?<![A-Za-z]){code}(?![A-Za-z])", reason):
        raise click.UsageError("--reason must not name the code: it is kept, and no code is in any log")
    services = get_services()
    removed = services.store.remove(code, None if at is None else int(at.replace(tzinfo=UTC).timestamp()))
    click.echo("removed" if removed else "there is no live text under this code")
    try:
        services.tools.operator_log.add(
            f"{'1 text' if removed else 'no text'} removed by the operator: {reason!r}"
        )
    except OSError as error:
        # The text is removed first, so this error is reported after it.
        raise click.ClickException(f"operator.log cannot be written: {error.strerror}") from None
    raise SystemExit(0 if removed else 1)
