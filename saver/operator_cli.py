"""The program ``saver-server``: the commands of ``flask --app saver``, and the service itself."""

from __future__ import annotations

from pathlib import Path

import click
import flask_migrate.cli
from flask import Flask
from flask.cli import ScriptInfo

from saver import cli
from saver.app import create_app
from saver.settings import SettingsError, read_settings
from saver.settings.folders import BASE
from saver.version import __version__


@click.group(
    epilog="The option wins over SAVER_DATA_DIR, and that over the file .env; relative paths of both begin in"
    f" {BASE}."
)
@click.version_option(__version__, prog_name="saver-server")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database and the secret key are.",
)
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Run saver and look after it."""
    directory = data_dir and data_dir.expanduser().absolute()
    context.obj = ScriptInfo(create_app=lambda: _app(directory))


def _app(data_dir: Path | None) -> Flask:
    try:
        return create_app(read_settings(data_dir=data_dir))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


for _command in (*cli.blueprint.cli.commands.values(), flask_migrate.cli.db):
    main.add_command(_command)
