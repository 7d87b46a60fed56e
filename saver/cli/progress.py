"""A progress bar on stderr; without a terminal it prints a line for every tenth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

_STEP = 10


@contextmanager
def progress_bar(name: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar; the value is a function that adds to the number of finished items."""
    with click.progressbar(length=length, label=f"{name}: 0%", file=sys.stderr, show_percent=False) as bar:

        def advance(count: int) -> None:
            percent = min(bar.pos + count, length) * 100 // length
            # Without a terminal click prints the label, each time that it changes.
            bar.label = f"{name}: {percent // _STEP * _STEP}%"
            bar.update(count)

        yield advance
