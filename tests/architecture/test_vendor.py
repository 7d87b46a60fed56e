"""The files of other projects in the extension are, to the byte, what their table says."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.server import ROOT

VENDOR = ROOT / "extension" / "vendor"
MODULES = ROOT / "node_modules"
WORDS = VENDOR / "eff-short-wordlist-1.txt"
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| `([0-9a-f]{64})` \|$", re.MULTILINE)
FROM_NPM = re.compile(r"npm `([^`]+)` ([\d.]+), `([^`]+)`")


class Row(NamedTuple):
    """A file, where it comes from, under which licence, and its SHA-256."""

    name: str
    origin: str
    licence: str
    digest: str


ROWS = [Row(*row) for row in ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8"))]
NPM = [row for row in ROWS if row.origin.startswith("npm ")]


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_table_names_every_file() -> None:
    there = {path.name for path in VENDOR.iterdir()} - {"README.md"}
    assert there == {row.name for row in ROWS}
    assert len(ROWS) == len(there)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_file_is_what_the_table_says(row: Row) -> None:
    assert digest_of(VENDOR / row.name) == row.digest


@pytest.mark.parametrize("row", NPM, ids=lambda row: row.name)
def test_a_file_is_the_one_in_the_package(row: Row) -> None:
    found = FROM_NPM.fullmatch(row.origin)
    assert found, row.origin
    package, version, name = found.groups()
    assert json.loads((MODULES / package / "package.json").read_text())["version"] == version
    assert (VENDOR / row.name).read_bytes() == (MODULES / package / name).read_bytes()


@pytest.mark.parametrize("row", [row for row in ROWS if row.licence], ids=lambda row: row.name)
def test_each_file_has_its_licence(row: Row) -> None:
    assert (VENDOR / f"{row.name.split('.')[0]}.LICENSE.txt").stat().st_size > 300


def test_the_script_imports_nothing() -> None:
    assert not re.search(
        r"^\s*import\b|\bimport\(|^export .* from ", (VENDOR / "qr.js").read_text(), re.MULTILINE
    )


def test_the_font_is_a_font() -> None:
    [font] = VENDOR.glob("*.woff2")
    assert font.read_bytes().startswith(b"wOF2")


def test_the_word_list_is_whole() -> None:
    words = WORDS.read_text(encoding="ascii").split("\n")
    assert words.pop() == ""
    # One word of the list has another character than letters: yo-yo.
    assert all(re.fullmatch(r"[a-z-]{3,5}", word) for word in words)
    assert len(words) == len(set(words)) == 6**4
    assert [word for word in words if not word.isalpha()] == ["yo-yo"]
