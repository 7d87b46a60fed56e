"""Markers that say what a test needs; ``./scripts/test`` without ``--all`` leaves all of them out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parents[1]
# What every test of a folder needs.
_FOLDERS = {
    "servers": "servers",
    "e2e": "browsers",
    "system": "system",
    "mutation": "slow",
    "api/clients": "slow",
}
_FIXTURES = {
    "cluster": "postgresql",
    "migrated_on_server": "postgresql",
    "started_redis": "redis",
    "redis_server": "redis",
}
_PARAMETERS = {"postgresql", "redis"}


def add_markers(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs: by its folder, its fixtures and its parameters."""
    for item in items:
        for name in set(_needs(item)):
            item.add_marker(name)


def _needs(item: pytest.Item) -> Iterator[str]:
    yield from (marker for folder, marker in _FOLDERS.items() if item.path.is_relative_to(_TESTS / folder))
    if isinstance(item, pytest.Function):
        yield from (_FIXTURES[name] for name in item.fixturenames if name in _FIXTURES)
        if hasattr(item, "callspec"):
            yield from _named(list(item.callspec.params.values()))


def _named(values: list[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, tuple):
            yield from _named(list(value))
        elif isinstance(value, str) and value in _PARAMETERS:
            yield value
