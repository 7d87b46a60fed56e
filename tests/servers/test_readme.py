"""The README's examples, run as a newcomer would run them, and the names in all Markdown files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from click import Group
from flask import Flask

from tests.support.server import ROOT, Server

README = (ROOT / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def examples() -> list[str]:
    return [
        block
        for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
        if "curl" in block
    ]


def test_the_curl_examples_do_what_is_said(live_server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes("line\r\n한국어\n".encode())
    file, sealed = (example.replace(ADDRESS, live_server.url) for example in examples())
    loaded = subprocess.run(["bash", "-euc", file], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert loaded.stdout == "line\r\n한국어\n".encode()
    written = subprocess.run(
        ["bash", "-euc", sealed], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    assert re.fullmatch(
        r'\{"code":"[a-zA-Z]{4}","expires_at":"[0-9TZ:-]+","owner_token":"[\w-]{22}"\}',
        written.stdout.decode(),
    )


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(?:\./)?(scripts/[\w.-]+|saver\.wsgi)", README):
        assert (ROOT / name).exists(), name


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= 100
    linked = {name for name in re.findall(r"\]\(([^)#:]+)", README) if name.startswith("docs/")}
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert pages <= linked


def test_every_command_that_a_page_names_is_there(make_app: Callable[..., Flask]) -> None:
    commands = make_app().cli.commands
    pages = [
        ROOT / "README.md",
        *(path for name in ("docs", "deploy") for path in (ROOT / name).rglob("*.md")),
    ]
    shown = re.compile(r"flask --app (?:/opt/saver/)?saver ([a-z][a-z-]*)(?: ([a-z]+)\b)?")
    named = {match for page in pages for match in shown.findall(page.read_text("utf-8"))}
    section = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("\n## Commands\n")[2]
    rows = re.findall(
        r"^\| `([a-z][a-z-]*)(?: ([a-z]+)\b)?.*?` \|", section.partition("\n## ")[0], re.MULTILINE
    )
    assert len(rows) > 5
    for name, word in {*named, *rows}:
        command = commands.get(name)
        assert command, name
        if isinstance(command, Group):
            assert word in command.commands, f"{name} {word}"
