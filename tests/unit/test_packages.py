"""What `./scripts/test --all` does about the system's packages that are missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import _packages
import pytest

BROWSERS = {"chromium", "firefox-esr"}
Missing = Callable[..., list[str]]


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Missing:
    """Look for packages on a system where some are missing, of which apt knows some; what is installed."""

    def look(system: str, missing: set[str], known: set[str]) -> list[str]:
        installed: list[str] = []
        release = tmp_path / "os-release"
        release.write_text(f'NAME="A system"\nID={system}\n')
        monkeypatch.setattr(_packages, "_RELEASE", release)
        monkeypatch.setattr(_packages, "_has", lambda name: name not in missing)
        monkeypatch.setattr(_packages, "_is_known", known.__contains__)
        monkeypatch.setattr(_packages, "missing_for_environment", list)
        monkeypatch.setattr(_packages, "apt_install", lambda names, _why: installed.extend(names))
        _packages.ensure_packages()
        return installed

    return look


def test_debian_has_the_browsers(missing: Missing) -> None:
    # Before the first `apt-get update` apt knows nothing.
    assert set(missing("debian", BROWSERS | {"nginx"}, set())) == BROWSERS | {"nginx"}


@pytest.mark.parametrize("name", sorted(BROWSERS))
def test_on_ubuntu_a_missing_browser_is_a_sentence_with_the_commands(
    missing: Missing, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        missing("ubuntu", {name, "nginx"}, BROWSERS - {name})
    assert ended.value.code == 1
    output = capsys.readouterr().err
    assert "http://deb.debian.org/%s\\n' \\\n" in output
    assert "apt-get install -y --no-install-recommends chromium firefox-esr\n" in output


def test_on_ubuntu_with_the_archive_of_debian_all_is_installed(missing: Missing) -> None:
    assert set(missing("ubuntu", BROWSERS | {"nginx"}, BROWSERS)) == BROWSERS | {"nginx"}


def test_on_ubuntu_browsers_that_are_there_need_no_archive(missing: Missing) -> None:
    assert missing("ubuntu", {"nginx"}, set()) == ["nginx"]
    assert missing("ubuntu", set(), set()) == []
