"""The program ``saver-server``: the commands of ``flask --app saver``, and the service itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import flask_migrate.cli
from flask import Flask
from flask.cli import ScriptInfo

from saver import cli
from saver.app import create_app
from saver.listener import bind, url
from saver.settings import Settings, SettingsError, read_settings
from saver.settings.folders import BASE, DATA_DIR
from saver.supervisor import block_signals
from saver.version import __version__


def _absolute(_: click.Context, __: click.Parameter, given: Path | None) -> Path | None:
    return given and given.expanduser().absolute()


_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    callback=_absolute,
    help=f"Where the database and the secret key are ({BASE / DATA_DIR}).",
)


@click.group(
    epilog=f"Options win over SAVER_HOST, SAVER_PORT and SAVER_DATA_DIR, these over {BASE / '.env'}."
    f" A relative SAVER_DATA_DIR begins in {BASE}."
)
@click.version_option(__version__, prog_name="saver-server")
@_data_dir
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Run saver, and look after its database."""
    context.obj = ScriptInfo(create_app=lambda: _app(data_dir))
    context.obj.data["data_dir"] = data_dir


@main.command("serve")
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", help="Port to listen on (8000); 0: any free one.")
@_data_dir
@click.pass_obj
def serve(info: ScriptInfo, host: str | None, port: str | None, data_dir: Path | None) -> None:
    """Run the API, the page and the worker, until Ctrl-C.

    The first start makes the database and fills the pool. The first line on stdout is the address.
    """
    # Pending until all is imported, as in scripts/serve.
    block_signals()
    from saver import serve as service  # noqa: PLC0415 - it has all modules ready for its processes

    settings = _settings(host=host, port=port, data_dir=data_dir or info.data["data_dir"])
    listener = bind(settings.host, settings.port)
    click.echo(url(settings.host, listener))
    sys.exit(service.run_all(settings, listener.detach()))


@main.command("worker")
@click.pass_obj
def work(info: ScriptInfo) -> None:
    """Run only the worker: wipe expired texts and give codes back, until Ctrl-C."""
    from saver import worker  # noqa: PLC0415 - no other command needs it

    worker.main(_settings(data_dir=info.data["data_dir"]))


def _app(data_dir: Path | None) -> Flask:
    try:
        return create_app(_settings(data_dir=data_dir))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _settings(**options: object) -> Settings:
    try:
        return read_settings(**options)
    except SettingsError as error:
        raise click.ClickException(f"the settings are at fault:\n{error}") from None


for _command in (*cli.blueprint.cli.commands.values(), flask_migrate.cli.db):
    main.add_command(_command)

if __name__ == "__main__":
    main(prog_name="saver-server")
