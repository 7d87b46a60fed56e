"""The README's examples, run as a newcomer would run them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

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
