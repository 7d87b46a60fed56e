"""Generated TypeScript: openapi-typescript with openapi-fetch, and openapi-generator's typescript-fetch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import _node
import pytest

from tests.api.clients.tools import generate_with_java, npm_tool, run
from tests.support.node import NODE
from tests.support.server import Server

STRICT = ("--strict", "--target", "es2024", "--module", "nodenext", "--lib", "es2024,dom")
HERE = Path(__file__).parent


@pytest.fixture
def client(document: Path, tmp_path: Path) -> Path:
    """A folder with the types that were generated, the client that uses them, and the packages of both."""
    (tmp_path / "node_modules").symlink_to(_node.MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    npm_tool("openapi-typescript", document, "--output", tmp_path / "openapi.ts")
    shutil.copy(HERE / "round.ts", tmp_path)
    return tmp_path


def compile_strictly(folder: Path, *more: str) -> None:
    npm_tool("tsc", *STRICT, "--allowImportingTsExtensions", *more, cwd=folder)


def test_openapi_typescript_with_its_defaults(client: Path, live_server: Server) -> None:
    compile_strictly(client, "--noEmit", "round.ts")
    run(NODE, "round.ts", live_server.url, "한국어 text\r\n", cwd=client)


def test_a_field_that_has_a_default_would_not_compile(document: Path, client: Path) -> None:
    described = json.loads(document.read_text())
    fields = described["components"]["schemas"]["WriteRequest"]["properties"]
    fields["once"]["default"] = False
    (client / "openapi.json").write_text(json.dumps(described))
    npm_tool("openapi-typescript", client / "openapi.json", "--output", client / "openapi.ts")
    with pytest.raises(AssertionError, match=r"error TS2\d+.*once"):
        compile_strictly(client, "--noEmit", "round.ts")


@pytest.fixture
def fetcher(live_server: Server, tmp_path: Path) -> Path:
    """A folder with the client of openapi-generator, and a program that uses it."""
    generate_with_java(f"{live_server.url}/api/v1/openapi.json", "typescript-fetch", tmp_path / "made")
    shutil.copy(HERE / "fetcher.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "commonjs"}')
    return tmp_path


def test_openapi_generators_typescript_fetch(fetcher: Path) -> None:
    npm_tool("tsc", *STRICT, "--outDir", "built", "fetcher.ts", cwd=fetcher)
    run(NODE, "built/fetcher.js", "한국어 text\r\n", cwd=fetcher)
