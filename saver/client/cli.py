"""The commands of the program ``saver``."""

from __future__ import annotations

import click

from saver.version import __version__


@click.group()
@click.version_option(__version__, prog_name="saver")
def main() -> None:
    """Save and load texts under codes of four letters."""
