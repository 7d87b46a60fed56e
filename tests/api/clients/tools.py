"""Tools of other projects: they check openapi.json, and make clients from it."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import _node

from tests.support.node import NODE
from tests.support.server import ROOT, Server
from tests.support.tools import tool

_TIMEOUT = 120.0
# Only the package registries are asked.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


def fetch(server: Server, target: Path) -> Path:
    """The document of a server, in a file."""
    with urllib.request.urlopen(f"{server.url}/api/v1/openapi.json", timeout=_TIMEOUT) as answer:
        target.write_bytes(answer.read())
    return target


def run(*command: object, cwd: Path = ROOT) -> str:
    """What a program prints; it has to exit with 0."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **_QUIET},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def npm_tool(name: str, *arguments: object, cwd: Path = ROOT) -> str:
    """What a tool in ``node_modules`` prints."""
    return run(*_node.tool(name, NODE), *arguments, cwd=cwd)


def generate_python(document: Path, package: Path) -> None:
    """A client by openapi-python-client, as a package."""
    config = document.with_name("config.yaml")
    config.write_text("post_hooks: []\n")
    program = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
        "--config",
        config,
    ]
    run(*program, "--path", document, "--output-path", package)


def generate_with_java(document: str, generator: str, folder: Path, **properties: str) -> None:
    """A client by openapi-generator with its defaults."""
    jar = importlib.resources.files("openapi_generator_cli") / "openapi-generator.jar"
    java = [tool("java", "default-jre-headless"), "-jar", jar, "generate", "-g", generator]
    named = ",".join(f"{name}={value}" for name, value in properties.items())
    run(*java, "-i", document, "-o", folder, *(["--additional-properties", named] if named else []))
