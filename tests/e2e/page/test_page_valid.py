"""The markup is valid: the page in each language, and the pages of the extension (the Nu HTML checker)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from saver.web.languages import LANGUAGES
from tests.support.server import ROOT
from tests.support.tools import tool

CHECKER = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
EXTENSION = [ROOT / "extension" / name for name in ("popup.html", "options.html")]
# Every section has an accessible name; some have no heading.
FINE = {"Section lacks heading."}


def faults(*files: Path) -> list[str]:
    """Errors and warnings with their lines, without mere remarks."""
    java = tool("java", "default-jre-headless")
    options = ("--format", "json", "--stdout", "--exit-zero-always")
    command: list[str | Path] = [java, "-jar", CHECKER, *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return [
        f"{Path(each['url']).name}:{each['lastLine']}: {each['message']}"
        for each in json.loads(done.stdout)["messages"]
        if (each["type"] == "error" or each.get("subType") == "warning") and not _is(each["message"], FINE)
    ]


def _is(message: str, known: set[str]) -> bool:
    return any(message.startswith(each) for each in known)


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<!doctype html><html lang=en><title>x</title><p><h1></h1><img src=a>")
    assert [each.partition(": ")[2][:13] for each in faults(tmp_path / "x.html")] == [
        "Empty heading",
        "An “img” elem",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_valid(client: FlaskClient, tmp_path: Path, language: str) -> None:
    page = tmp_path / f"{language}.html"
    page.write_bytes(client.get(f"/?lang={language}", headers={"Host": "www.example.org"}).data)
    assert faults(page) == []


def test_the_pages_of_the_extension_are_valid() -> None:
    assert faults(*EXTENSION) == []
