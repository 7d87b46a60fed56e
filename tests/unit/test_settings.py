"""Settings: types, checks, one message with all errors, and docs/settings.md."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from saver.secret import load_old_secrets, load_secret
from saver.settings import Settings, SettingsError, read_settings
from saver.settings.fields import variable_names
from scripts.document_settings import PAGE, page
from tests.conftest import settings_in
from tests.support.server import ROOT
from tests.support.threads import run_concurrently


def test_without_any_setting_there_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8_000, ROOT / "instance")
    assert settings.secret_key is None


def env_file(monkeypatch: pytest.MonkeyPatch, text: str, encoding: str = "utf-8") -> None:
    file = Path("settings.env").absolute()
    file.write_text(text, encoding)
    monkeypatch.setenv("SAVER_ENV_FILE", str(file))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Another clone of the project with other settings."""
    place = tmp_path / "clone"
    shutil.copytree(ROOT / "saver", place / "saver", ignore=shutil.ignore_patterns("__pycache__"))
    (place / ".env").write_text("SAVER_PORT=8001\n")
    return place


@pytest.mark.parametrize("data", [None, "data", "/somewhere/else"])
def test_where_a_process_is_started_decides_nothing(clone: Path, tmp_path: Path, data: str | None) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text("SAVER_PORT=9\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SAVER_")}
    environ |= {"PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"}
    if data:
        environ["SAVER_DATA_DIR"] = data
    asks = "from saver.settings import read_settings as r; print(r().port, r().data_dir)"
    command = [sys.executable, "-P", "-c", asks]
    for folder in (clone, elsewhere, Path("/")):
        said = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)
        assert said.stdout == f"8001 {clone / (data or 'instance')}\n"
    assert sorted(path.name for path in elsewhere.iterdir()) == [".env"]


def test_a_settings_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAVER_ENV_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=f"SAVER_ENV_FILE: there is no file {tmp_path}/none"):
        read_settings()


def test_the_environment_wins_over_dot_env(monkeypatch: pytest.MonkeyPatch) -> None:
    env_file(monkeypatch, "SAVER_PORT=8001\nSAVER_REST=5\nOTHER=1\n")
    monkeypatch.setenv("SAVER_PORT", "8002")
    assert (read_settings().port, read_settings().code_cooldown) == (8_002, 5)


def test_all_errors_are_named_together_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    env_file(monkeypatch, "SAVER_TYPO_IN_FILE=1\n")
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


def test_a_byte_order_mark_before_dot_env_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    env_file(monkeypatch, "SAVER_PORT=8142\n", "utf-8-sig")
    assert read_settings().port == 8_142


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp949"])
def test_dot_env_in_another_encoding_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    env_file(monkeypatch, "SAVER_CONTACT=관리자\n", encoding)
    with pytest.raises(SettingsError) as faults:
        read_settings()
    assert str(faults.value) == f"{tmp_path}/settings.env: is not in UTF-8; save it as UTF-8"


@pytest.mark.parametrize("name", ["SAVER_CONTACT", "SAVER_TERMS_URL", "SAVER_SECRET_KEY", "SAVER_HOST"])
def test_a_value_that_is_not_utf_8_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The service would start, and fail later wherever it shows the value."""
    monkeypatch.setenv(name, os.fsdecode(b"\xb0\xfc@b.kr, and thirty-two characters more"))
    with pytest.raises(SettingsError, match=f"{name}: must be in UTF-8"):
        read_settings()


def test_a_directory_may_have_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVER_DATA_DIR", os.fsdecode(b"data \xb0"))
    assert os.fsencode(read_settings().data_dir) == os.fsencode(ROOT) + b"/data \xb0"


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
    secret = load_secret(settings)
    assert len(secret) >= 32
    assert load_secret(settings) == secret
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert load_secret(settings_in(tmp_path / "another")) != secret


@pytest.mark.parametrize("mode", [0o644, 0o606, 0o602])
def test_a_secret_that_others_may_read_or_change_is_none(tmp_path: Path, mode: int) -> None:
    (tmp_path / "secret_key").write_text("planted by an attacker who knows it")
    (tmp_path / "secret_key").chmod(mode)
    with pytest.raises(SettingsError, match="every user of this machine may read or change it"):
        load_secret(settings_in(tmp_path))
    (tmp_path / "secret_key").chmod(0o640)
    assert load_secret(settings_in(tmp_path)).startswith(b"planted")


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch(0o600)
    with pytest.raises(SettingsError, match="secret_key: is empty"):
        load_secret(settings_in(tmp_path))


def test_old_secrets_come_from_the_setting_and_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAVER_OLD_SECRET_KEYS", f"{'a' * 32}, {'b' * 32}")
    monkeypatch.setenv("SAVER_DATA_DIR", str(tmp_path))
    # Not stripped: the present secret is read like that too.
    for name, secret in (("secret_key.old", b"c\n"), ("secret_key.old-2026", b"d"), ("secret_key.bak", b"e")):
        (tmp_path / name).write_bytes(secret)
        (tmp_path / name).chmod(0o600)
    assert load_old_secrets(read_settings()) == [b"a" * 32, b"b" * 32, b"c\n", b"d"]
    (tmp_path / "secret_key.old").chmod(0o644)
    with pytest.raises(SettingsError, match=r"secret_key\.old: every user of this machine may read"):
        load_old_secrets(read_settings())


@pytest.mark.parametrize("given", ["short", f"{'a' * 32},short", f"{'a' * 32}, {'b' * 31}"])
def test_an_old_secret_is_as_long_as_any_other(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SAVER_OLD_SECRET_KEYS", given)
    with pytest.raises(SettingsError, match=r"SAVER_OLD_SECRET_KEYS: .*32") as error:
        read_settings()
    assert "short" not in str(error.value)


def test_old_secrets_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVER_OLD_SECRET_KEYS", "CANARY" * 6)
    assert "CANARY" not in repr(read_settings())


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new")
    found = run_concurrently([lambda: load_secret(settings)] * 32)
    assert len(set(found)) == 1
    assert len(list(settings.data_dir.iterdir())) == 1


def test_docs_settings_is_what_the_settings_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run .venv/bin/python -m scripts.document_settings"


def test_docs_settings_has_every_setting_with_default_unit_and_meaning() -> None:
    rows = re.findall(r"^\| `SAVER_([A-Z_]+)` \| (.*?) \| (.*?) \| (.*?) \|$", page(), re.MULTILINE)
    assert len(rows) == len(Settings.model_fields)
    shown = {field_of(f"SAVER_{name}"): (default.strip("`"), *said) for name, default, *said in rows}
    for name, field in Settings.model_fields.items():
        default, unit, meaning = shown[name]
        assert default == _shown(field.default)
        assert meaning == field.description
        assert meaning.endswith(".")
        assert bool(unit) == (isinstance(field.default, int) and name != "port")


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return "" if default is None else str(getattr(default, "get_secret_value", lambda: default)())


FORMER = {
    "SAVER_REST": "SAVER_CODE_COOLDOWN",
    "SAVER_LIMITS_URL": "SAVER_RATE_LIMIT_STORAGE",
    "SAVER_DERIVE_AT_ONCE": "SAVER_MAX_CONCURRENT_KDF",
    "SAVER_SWEEP_EVERY": "SAVER_SWEEP_INTERVAL",
}
VALUES = {"SAVER_LIMITS_URL": ("redis://one:6379", "redis://two:6379")}


@pytest.fixture(params=FORMER)
def former(request: pytest.FixtureRequest) -> str:
    """A name that a setting had before."""
    return str(request.param)


def field_of(name: str) -> str:
    return next(field for field in Settings.model_fields if variable_names(field)[0] == name)


def value_of(name: str) -> str:
    """The value of a setting, for instance ``7``."""
    return str(getattr(read_settings(), field_of(name)))


def test_a_former_name_works_in_the_environment_and_in_dot_env(
    monkeypatch: pytest.MonkeyPatch, former: str
) -> None:
    value, other = VALUES.get(former, ("7", "8"))
    env_file(monkeypatch, f"{former}={value}\n")
    assert value_of(FORMER[former]) == value
    monkeypatch.setenv(former, other)
    assert value_of(FORMER[former]) == other


def test_a_setting_works_by_its_name(monkeypatch: pytest.MonkeyPatch, former: str) -> None:
    value, other = VALUES.get(former, ("7", "8"))
    env_file(monkeypatch, f"{FORMER[former]}={value}\n")
    assert value_of(FORMER[former]) == value
    monkeypatch.setenv(FORMER[former], other)
    assert value_of(FORMER[former]) == other


def test_two_names_of_a_setting_may_have_the_same_value(monkeypatch: pytest.MonkeyPatch, former: str) -> None:
    value, _ = VALUES.get(former, ("7", "8"))
    env_file(monkeypatch, f"{FORMER[former]}={value}\n")
    monkeypatch.setenv(former, value)
    assert value_of(FORMER[former]) == value


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_two_names_of_a_setting_with_two_values_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, former: str, case: Callable[[str], str]
) -> None:
    value, other = VALUES.get(former, ("7", "8"))
    env_file(monkeypatch, f"{FORMER[former]}={value}\n")
    monkeypatch.setenv(case(former), other)
    with pytest.raises(SettingsError) as faults:
        read_settings()
    both = f"{FORMER[former]} and {former}"
    assert str(faults.value) == f"{both}: are two names of one setting and have different values"


def test_a_fault_is_named_by_the_name_that_was_given(monkeypatch: pytest.MonkeyPatch, former: str) -> None:
    for name in (former, FORMER[former]):
        with monkeypatch.context() as patched:
            patched.setenv(name, "-1")
            with pytest.raises(SettingsError, match=f"^{name}: ") as faults:
                read_settings()
        assert len(str(faults.value).splitlines()) == 1


def test_what_is_passed_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, former: str
) -> None:
    value, other = VALUES.get(former, ("7", "8"))
    field = field_of(FORMER[former])
    for name in (former, FORMER[former]):
        monkeypatch.setenv(name, value)
        assert str(getattr(settings_in(tmp_path, **{field: other}), field)) == other


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_launcher_reads_dot_env_alike(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    launcher = launcher_in(monkeypatch, tmp_path)
    (tmp_path / ".env").write_text("SAVER_PORT=8142\n", encoding)
    assert launcher.explicit_settings({}) == {"SAVER_PORT": "8142"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp949"])
def test_the_launcher_names_dot_env_in_another_encoding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    launcher = launcher_in(monkeypatch, tmp_path)
    (tmp_path / ".env").write_text("SAVER_CONTACT=관리자\n", encoding)
    with pytest.raises(SystemExit):
        launcher.explicit_settings({})
    assert f"{tmp_path}/.env: is not in UTF-8; save it as UTF-8" in capsys.readouterr().err


def launcher_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ModuleType:
    """The settings reader of scripts/serve, as if that script were in another folder."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    launcher = importlib.import_module("_address")
    monkeypatch.setattr(launcher, "ROOT", folder)
    return launcher
