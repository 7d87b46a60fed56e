"""openapi.json as a user would fetch it, and the clients that generators of other projects make from it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.api.clients.tools import fetch, generate_python, generate_with_java
from tests.support.server import Server


@pytest.fixture(scope="session")
def document(live_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service's openapi.json, in a file."""
    return fetch(live_server, tmp_path_factory.mktemp("document") / "openapi.json")


@pytest.fixture(scope="session")
def generated(live_server: Server, document: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two Python clients as packages: ``by_python`` and ``by_java``."""
    folder = tmp_path_factory.mktemp("generated")
    generate_python(document, folder / "by_python")
    # From its URL, as a user would: only then does the generator know what the server's URL is relative to.
    generate_with_java(f"{live_server.url}/api/v1/openapi.json", "python", folder, packageName="by_java")
    return folder


@pytest.fixture
def packages(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two Python clients can be imported."""
    monkeypatch.setattr(sys, "path", [str(generated), *sys.path])
