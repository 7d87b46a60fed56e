"""``scripts/release``: one version, the same bytes from two clones, and a list of what ships."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from _conflicts import names_in
from _setup import VENV
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from saver.version import __version__
from tests.support.server import ROOT

SECONDS = 1_700_000_000
EXTENSION: str = json.loads((ROOT / "extension" / "manifest.json").read_text())["version"]
SBOM, SOURCES = f"saver-{__version__}.cdx.json", f"saver-{__version__}-source.tar.gz"
FILES = {
    f"saver-{__version__}-py3-none-any.whl",
    f"saver-{__version__}.tar.gz",
    f"saver-extension-{EXTENSION}.zip",
    *(SBOM, SOURCES, "SHA256SUMS"),
}
VENDORED = {"pkg:npm/qr@0.7.0", "pkg:npm/%40fontsource/atkinson-hyperlegible-mono@5.3.0"}
VENDORED |= {"pkg:pypi/xkcdpass@1.30.0"}


def git(folder: Path, *arguments: str) -> str:
    """What git prints; its commits are of one time."""
    environ = {
        f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environ |= {f"GIT_{who}_DATE": f"{SECONDS} +0000" for who in ("AUTHOR", "COMMITTER")}
    command = ["git", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, check=True, capture_output=True, text=True
    ).stdout


class Clone:
    """A clone that has this one's ``.venv``."""

    def __init__(self, origin: Path, folder: Path) -> None:
        self.folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(origin, "clone", "--quiet", str(origin), str(folder))
        (folder / ".venv").symlink_to(VENV)
        (folder / ".git" / "info" / "exclude").write_text("/.venv\n")

    def run(self, *options: str, umask: int = 0o022, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "scripts/release", *options],
            cwd=self.folder,
            env={**os.environ, **environ},
            umask=umask,
            check=False,
            capture_output=True,
            text=True,
        )

    def built(self, *options: str, umask: int = 0o022, **environ: str) -> dict[str, bytes]:
        """The files by name."""
        run = self.run(*options, umask=umask, **environ)
        assert run.returncode == 0, run.stderr
        folder = Path(options[1]) if options else self.folder / "dist"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def refused(self, *options: str) -> str:
        """The error message; nothing is written."""
        run = self.run(*options)
        assert run.returncode == 1
        assert "Traceback" not in run.stderr
        assert not (self.folder / "dist").exists()
        return run.stderr


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit has the files as they are now."""
    folder = tmp_path_factory.mktemp("origin")
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "everything")
    return folder


@pytest.fixture(scope="module")
def clone(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(origin, tmp_path_factory.mktemp("clone") / "saver")


@pytest.fixture(scope="module")
def release(clone: Clone) -> dict[str, bytes]:
    """The files of a release by name."""
    return clone.built()


@pytest.fixture
def sbom(release: dict[str, bytes]) -> Any:
    return json.loads(release[SBOM])


def test_the_changelog_begins_with_the_versions_of_now() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1])
    newest = next(heading for heading in headings if heading.startswith("Extension"))
    assert re.fullmatch(rf"Extension {re.escape(EXTENSION)} - \d{{4}}-\d\d-\d\d", newest)


def test_a_release_has_every_file_and_their_sums(release: dict[str, bytes], clone: Clone) -> None:
    assert set(release) == FILES
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=clone.folder / "dist", check=True)
    assert release["SHA256SUMS"].count(b"\n") == len(FILES) - 1


def test_the_same_commit_gives_the_same_bytes(
    release: dict[str, bytes], origin: Path, tmp_path: Path
) -> None:
    another = Clone(origin, tmp_path / "another place" / "x")
    git(another.folder, "config", "core.autocrlf", "true")
    git(another.folder, "config", "tar.umask", "0077")
    for path in another.folder.rglob("*.py"):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    # A file that git ignores is in no commit.
    (another.folder / "saver" / "__pycache__").mkdir()
    (another.folder / "saver" / "__pycache__" / "app.pyc").write_text("secret")
    folder = tmp_path / "made"
    found = another.built(
        "--folder", str(folder), umask=0o077, TZ="Asia/Seoul", LC_ALL="C", HOME=str(tmp_path)
    )
    assert {name for name in FILES if found[name] != release[name]} == set()
    assert set(found) == FILES
    assert not (another.folder / "dist").exists()


def test_the_sources_are_the_commit(release: dict[str, bytes], origin: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(release[SOURCES])) as sources:
        members = sources.getmembers()
    names = {member.name for member in members if member.isfile()}
    assert names == {f"saver-{__version__}/{name}" for name in git(origin, "ls-files").splitlines()}
    assert {member.mtime for member in members} == {SECONDS}


def test_the_list_is_cyclonedx(release: dict[str, bytes], sbom: Any) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(release[SBOM].decode()) is None
    sbom["components"][0]["type"] = "no type of this"
    assert validator.validate_str(json.dumps(sbom)) is not None


def test_the_list_has_all_that_ships(sbom: Any) -> None:
    about = sbom["metadata"]
    assert about["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert (about["component"]["name"], about["component"]["version"]) == ("saver", __version__)
    locked = [one for one in sbom["components"] if one["purl"] not in VENDORED]
    assert {one["name"] for one in locked} == names_in(ROOT / "requirements.txt")
    assert len(sbom["components"]) - len(locked) == len(VENDORED)
    hashes = set(re.findall(r"sha256:(\w{64})", (ROOT / "requirements.txt").read_text()))
    files = [one["externalReferences"][0]["hashes"] for one in locked]
    assert {one["content"] for each in files for one in each} == hashes
    vendor = (ROOT / "extension" / "vendor" / "README.md").read_text("utf-8")
    for one in sbom["components"]:
        if one["purl"] in VENDORED:
            assert f"`{one['hashes'][0]['content']}`" in vendor


def test_the_list_says_who_needs_whom(sbom: Any) -> None:
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in sbom["dependencies"]}
    name_of = {one["bom-ref"]: one["name"] for one in sbom["components"]}
    assert set(needs) == {"saver", *name_of}
    assert {"flask", "psycopg", "redis", "qr"} <= {name_of[ref] for ref in needs["saver"]}
    # Everything is there because something needs it.
    assert set().union(*needs.values()) == set(name_of)
    [flask] = [ref for ref, name in name_of.items() if name == "flask"]
    assert {"werkzeug", "jinja2", "click"} <= {name_of[ref] for ref in needs[flask]}


@pytest.mark.parametrize("name", ["README.md", "saver/new.py"])
def test_what_is_not_committed_is_refused(origin: Path, tmp_path: Path, name: str) -> None:
    dirty = Clone(origin, tmp_path / "saver")
    with (dirty.folder / name).open("a") as file:
        file.write("\n")
    assert name in dirty.refused()


@pytest.mark.parametrize(
    ("file", "old", "said"),
    [
        ("saver/version.py", __version__, f"says 9.9.9, the newest in CHANGELOG.md is: ## [{__version__}]"),
        (
            "CHANGELOG.md",
            f"[{__version__}]",
            f"says {__version__}, the newest in CHANGELOG.md is: ## [9.9.9]",
        ),
        ("extension/manifest.json", f'"{EXTENSION}"', "extension/manifest.json says version 9.9.9"),
    ],
)
def test_a_version_without_its_heading_is_refused(
    origin: Path, tmp_path: Path, file: str, old: str, said: str
) -> None:
    wrong = Clone(origin, tmp_path / "saver")
    path = wrong.folder / file
    path.write_text(path.read_text().replace(old, old.replace(old.strip('[]"'), "9.9.9"), 1))
    git(wrong.folder, "commit", "--quiet", "--all", "--message", "wrong")
    assert said in wrong.refused()


def test_the_server_is_that_of_the_extension(origin: Path, tmp_path: Path) -> None:
    assert "'http://x/' must be https://" in Clone(origin, tmp_path / "saver").refused(
        "--server", "http://x/"
    )
