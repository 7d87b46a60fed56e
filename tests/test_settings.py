"""Settings: typed, checked, every fault named at once, and told in the README."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from saver.settings import Settings, SettingsError, read_settings, secret_of
from tests.conftest import settings_in
from tests.races import together
from tests.server import ROOT


def test_without_any_setting_there_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8_000, Path("instance"))
    assert settings.secret_key is None


def test_the_environment_wins_over_dot_env(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("SAVER_PORT=8001\nSAVER_REST=5\nOTHER=1\n")
    monkeypatch.setenv("SAVER_PORT", "8002")
    assert (read_settings().port, read_settings().rest) == (8_002, 5)


def test_every_fault_is_named_at_once_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("SAVER_TYPO_IN_FILE=1\n")
    for name, value in {
        "SAVER_PORT": "eighty",
        "SAVER_REST": "-1",
        "SAVER_SECRET_KEY": "CANARY",
        "SAVER_TYPO": "1",
        "SAVER_TRUSTED_PROXIES": "10.0.0.1, CANARY",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as faults:
        read_settings()
    named = {line.partition(":")[0] for line in str(faults.value).splitlines()}
    assert named == {
        "SAVER_PORT",
        "SAVER_REST",
        "SAVER_SECRET_KEY",
        "SAVER_TYPO",
        "SAVER_TYPO_IN_FILE",
        "SAVER_TRUSTED_PROXIES",
    }
    assert "CANARY" not in str(faults.value)


def test_lives_must_be_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVER_DEFAULT_EXPIRES_IN", "90000")
    with pytest.raises(SettingsError, match="SAVER_DEFAULT_EXPIRES_IN <= SAVER_MAX_EXPIRES_IN"):
        read_settings()


def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVER_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16 ,2001:db8::/32, unix")
    assert [str(network) for network in read_settings().trusted_proxies] == [
        "10.0.0.1/32",
        "10.1.0.0/16",
        "2001:db8::/32",
        "unix",
    ]


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new")
    secret = secret_of(settings)
    assert len(secret) >= 32
    assert secret_of(settings) == secret
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert secret_of(settings_in(tmp_path / "another")) != secret


@pytest.mark.parametrize("mode", [0o644, 0o606, 0o602])
def test_a_secret_that_others_may_read_or_change_is_none(tmp_path: Path, mode: int) -> None:
    (tmp_path / "secret_key").write_text("planted by somebody, and known to him")
    (tmp_path / "secret_key").chmod(mode)
    with pytest.raises(SettingsError, match="everybody on this machine may read or change it"):
        secret_of(settings_in(tmp_path))
    (tmp_path / "secret_key").chmod(0o640)
    assert secret_of(settings_in(tmp_path)).startswith(b"planted")


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new")
    found = together([lambda: secret_of(settings)] * 32)
    assert len(set(found)) == 1
    assert len(list(settings.data_dir.iterdir())) == 1


def test_the_readme_tells_every_setting_with_its_default() -> None:
    rows = re.findall(
        r"^\| `SAVER_([A-Z_]+)` \| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    told = {name.lower(): (default.strip("`"), text) for name, default, text in rows}
    assert told == {
        name: (_shown(field.default), field.description) for name, field in Settings.model_fields.items()
    }


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return "" if default is None else str(getattr(default, "get_secret_value", lambda: default)())
