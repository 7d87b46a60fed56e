"""``scripts/pack``: what the package contains, and that it has the same bytes on every machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _node import store_lint

from tests.support.node import NODE
from tests.support.server import ROOT

MANIFEST = {
    "manifest_version": 3,
    "name": "A package for a test",
    "version": "2.1.0",
    "default_locale": "en",
    "browser_specific_settings": {
        "gecko": {
            "id": "test@saver.example",
            "strict_min_version": "142.0",
            "data_collection_permissions": {"required": ["personalCommunications"]},
        }
    },
}
CHANGELOG = "# Changelog\n\n## Unreleased\n\n## Extension 2.1.0 - 2026-11-22\n\n## Extension 2.0.0\n"
SHIPS = {
    "manifest.json": json.dumps(MANIFEST),
    "background.js": "export const here = true;\n" * 40,
    "service.json": '{"server": ""}\n',
    "core/api.js": "export const api = 1;\n",
    "_locales/en/messages.json": "{}",
    "icons/16.png": "\x89PNG",
    "vendor/qr.js": "export default 1;\n",
    "vendor/qr.LICENSE.txt": "The MIT License\n",
}
STAYS = {
    "README.md": "Read me.",
    "vendor/README.md": "Read me too.",
    "vendor/qr.d.ts": "export {};",
    "core/api.test.js": "1;",
    "tests/unit.js": "1;",
    ".hidden": "",
    ".cache/there.js": "1;",
}


class Tree:
    """A project that contains only what is packed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "scripts").mkdir(parents=True)
        for name in ("pack", "_setup.py"):
            shutil.copy(ROOT / "scripts" / name, root / "scripts")
        self.write("CHANGELOG.md", CHANGELOG)
        for name, content in {**SHIPS, **STAYS}.items():
            self.write(f"extension/{name}", content)

    def write(self, name: str, content: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def run(self, *options: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.root / "scripts" / "pack"), *options]
        return subprocess.run(
            command, cwd=self.root.parent, capture_output=True, text=True, check=False, umask=umask
        )

    def packed(self, *options: str, umask: int = 0o022) -> bytes:
        run = self.run(*options, umask=umask)
        assert run.returncode == 0, run.stderr
        return (self.root / "dist" / "saver-extension-2.1.0.zip").read_bytes()

    def refused(self, *options: str) -> str:
        """The error message; nothing is written."""
        run = self.run(*options)
        assert run.returncode != 0
        assert "Traceback" not in run.stderr
        assert not (self.root / "dist").exists()
        return run.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "project")


def contents(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def server_of(packed: bytes) -> Any:
    return json.loads(contents(packed)["service.json"])


def test_what_ships_and_what_stays(tree: Tree) -> None:
    found = contents(tree.packed())
    assert found == {name: content.encode() for name, content in SHIPS.items()}
    assert list(found) == sorted(found)


def test_its_path_size_and_sum_are_printed(tree: Tree) -> None:
    packed = tree.packed()
    target = tree.root / "dist" / "saver-extension-2.1.0.zip"
    assert tree.run().stdout.splitlines() == [
        str(target),
        f"{len(packed)} bytes",
        f"sha256 {hashlib.sha256(packed).hexdigest()}",
    ]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_same_bytes_everywhere(tree: Tree, tmp_path: Path) -> None:
    elsewhere = Tree(tmp_path / "another" / "place")
    for place, path in enumerate(sorted((elsewhere.root / "extension").rglob("*"), reverse=True)):
        os.utime(path, (1_500_000_000 + place, 1_500_000_000 + place))
        path.chmod(0o700)
    assert tree.packed() == elsewhere.packed(umask=0o077) == tree.packed(umask=0o000)


def test_nothing_of_this_machine_is_in_it(tree: Tree) -> None:
    with zipfile.ZipFile(io.BytesIO(tree.packed())) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr >> 16 == 0o100644
            assert (entry.create_system, entry.extra, entry.comment) == (3, b"", b"")


@pytest.mark.parametrize(
    ("changelog", "said"),
    [
        (CHANGELOG.replace("2.1.0", "2.2.0"), "version 2.1.0, CHANGELOG.md's newest is Extension 2.2.0"),
        ("## Extension 2.0.0\n\n## Extension 2.1.0\n", "newest is Extension 2.0.0"),
        ("## Extension 2.1.0.1\n", "newest is Extension 2.1.0.1"),
        ("## Unreleased\n", 'no heading "## Extension 2.1.0"'),
    ],
)
def test_the_version_is_that_of_the_changelog(tree: Tree, changelog: str, said: str) -> None:
    tree.write("CHANGELOG.md", changelog)
    assert said in tree.refused()


@pytest.mark.parametrize("manifest", [None, "{", "[]", "{}"])
def test_no_manifest_no_package(tree: Tree, manifest: str | None) -> None:
    (tree.root / "extension" / "manifest.json").unlink()
    if manifest is not None:
        tree.write("extension/manifest.json", manifest)
    assert "extension/manifest.json is" in tree.refused()


@pytest.mark.parametrize(
    "url",
    ["https://saver.example/", "https://x.example:8443/a/", "http://127.0.0.1:8000/", "http://localhost/"],
)
def test_a_server_is_packed(tree: Tree, url: str) -> None:
    assert server_of(tree.packed("--server", url)) == {"server": url}
    assert server_of(tree.packed()) == {"server": ""}


@pytest.mark.parametrize(
    "url",
    [
        *("", "/", "saver.example/", "https:///", "https://saver.example", "https://saver.example/a"),
        *("http://saver.example/", "http://127.0.0.1.saver.example/", "http://localhost@saver.example/"),
        *("ftp://saver.example/", "javascript:/", "https://user:pass@saver.example/"),
        *("https://saver.example/?a/", "https://saver.example/#/", "https://saver.example/ /"),
        *("https://saver.example:port/", "https://saver.example:99999/", "https://[::1/"),
    ],
)
def test_a_bad_server_is_refused(tree: Tree, url: str) -> None:
    assert "must be https://" in tree.refused(f"--server={url}")


def test_what_is_too_large_is_refused(tree: Tree) -> None:
    tree.write("extension/noise.txt", Random(1).randbytes(260_000).hex())
    assert "245,760 are allowed" in tree.refused()


def test_what_is_of_no_known_kind_is_refused(tree: Tree) -> None:
    tree.write("extension/core/api.js.orig", "")
    assert "extension/core/api.js.orig is of no kind that ships" in tree.refused()


def test_a_link_is_refused(tree: Tree) -> None:
    (tree.root / "extension" / "secret.txt").symlink_to("/etc/hostname")
    assert "secret.txt is a link" in tree.refused()


def test_unpacked_is_the_same(tree: Tree, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    run = tree.run("--unpacked", str(folder), "--server", "https://saver.example/")
    assert run.returncode == 0, run.stderr
    assert not (tree.root / "dist").exists()
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert there == contents(tree.packed("--server", "https://saver.example/"))


def test_a_folder_with_something_in_it_is_left_alone(tree: Tree) -> None:
    assert "is not an empty folder" in tree.refused("--unpacked", str(tree.root / "extension"))


def test_help(tree: Tree) -> None:
    assert "--server URL" in tree.run("--help").stdout


@pytest.mark.parametrize(("script", "status"), [("", 0), ("document.body.innerHTML = location.hash;", 1)])
def test_the_linter_of_the_stores_reads_what_is_packed(
    tree: Tree, tmp_path: Path, script: str, status: int
) -> None:
    tree.write("extension/background.js", script)
    (tree.root / "extension" / "icons" / "16.png").unlink()
    assert tree.run("--unpacked", str(tmp_path / "unpacked")).returncode == 0
    command = store_lint(tmp_path / "unpacked", NODE)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == status, run.stdout
