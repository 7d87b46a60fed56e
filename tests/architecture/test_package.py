"""The wheel and the sdist: what is in them, and that the same files give the same bytes."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

from saver.version import __version__
from tests.support.package import build
from tests.support.server import ROOT

# Folders of the clone, and where the wheel has them.
FOLDERS = {
    "saver": "saver",
    "extension/core": "saver/shipped_files/extension/core",
    "extension/ui": "saver/shipped_files/extension/ui",
    "extension/vendor": "saver/shipped_files/extension/vendor",
    "migrations": "saver/shipped_files/migrations",
}
ABOUT = f"saver-{__version__}.dist-info"
SERVER_ONLY = {"flask", "werkzeug", "sqlalchemy", "alembic", "pydantic", "pydantic_settings", "gunicorn"}


def files_of(folder: str) -> list[PurePosixPath]:
    """The files below a folder of the clone, relative to it."""
    found = [
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert found
    return [PurePosixPath(path.relative_to(ROOT / folder)) for path in found]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist of the clone."""
    return build(ROOT, tmp_path_factory.mktemp("built"))


@pytest.fixture
def metadata(built: tuple[Path, Path]) -> Message:
    """What the wheel says about itself."""
    with zipfile.ZipFile(built[0]) as wheel:
        return Parser().parsestr(wheel.read(f"{ABOUT}/METADATA").decode())


def test_the_wheel_has_the_package_and_what_it_reads_and_nothing_else(built: tuple[Path, Path]) -> None:
    about = {f"{ABOUT}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    about |= {f"{ABOUT}/licenses/LICENSE", f"saver-{__version__}.data/data/share/man/man1/saver.1"}
    shipped = {f"{place}/{path}" for folder, place in FOLDERS.items() for path in files_of(folder)}
    with zipfile.ZipFile(built[0]) as wheel:
        assert set(wheel.namelist()) == shipped | about
    for file in (
        "saver/web/page.html",
        "saver/shipped_files/extension/core/api.js",
        "saver/shipped_files/extension/vendor/eff-short-wordlist-1.txt",
        "saver/shipped_files/migrations/env.py",
    ):
        assert file in shipped


def test_the_sdist_has_what_the_wheel_is_built_from_and_nothing_else(built: tuple[Path, Path]) -> None:
    top = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    sources = {f"{folder}/{path}" for folder in (*FOLDERS, "docs/man") for path in files_of(folder)}
    with tarfile.open(built[1]) as sdist:
        names = {name.removeprefix(f"saver-{__version__}/") for name in sdist.getnames()}
    assert names == top | sources


def test_the_sdist_gives_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as sdist:
        sdist.extractall(tmp_path, filter="data")
    source = tmp_path / f"saver-{__version__}"
    for path in source.rglob("*"):
        # As in a clone of another time, under another umask.
        path.chmod(0o700 if path.is_dir() else 0o600)
    wheel, sdist_again = build(source, tmp_path / "again")
    assert wheel.read_bytes() == built[0].read_bytes()
    assert sdist_again.read_bytes() == built[1].read_bytes()


def test_a_file_of_a_developer_is_in_neither(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as sdist:
        sdist.extractall(tmp_path, filter="data")
    source = tmp_path / f"saver-{__version__}"
    for name in (".env", "instance/secret_key", "saver/__pycache__/app.pyc", "tests/test_it.py", "dist/x"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text("secret")
    wheel, sdist_again = build(source, tmp_path / "again")
    assert (wheel.read_bytes(), sdist_again.read_bytes()) == (built[0].read_bytes(), built[1].read_bytes())


def test_two_programs_and_two_extras(built: tuple[Path, Path], metadata: Message) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        programs = wheel.read(f"{ABOUT}/entry_points.txt").decode()
    assert "saver = saver.client.cli:main\nsaver-server = saver.operator_cli:main\n" in programs
    assert metadata.get_all("Provides-Extra") == ["postgresql", "redis"]
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_program_for_people_loads_nothing_of_the_server() -> None:
    program = "import saver.client.cli, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert "click" in loaded
    assert SERVER_ONLY.isdisjoint(loaded)
