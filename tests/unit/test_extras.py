"""redis and psycopg are optional: nothing else imports them, and a setting that needs one says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from saver import create_app
from saver.settings import Settings, SettingsError
from tests.support.server import ROOT, environment

WITHOUT_EXTRAS = """\
import sys
sys.modules["redis"] = sys.modules["psycopg"] = None
from saver import create_app
from flask_migrate import upgrade
app = create_app()
with app.app_context():
    upgrade()
client = app.test_client()
code = client.post("/api/v1/write", json={"text": "x"}).get_json()
print(client.get("/healthz").status_code, code["type"])
"""


@pytest.mark.parametrize(
    ("package", "extra", "setting", "url"),
    [
        ("redis", "redis", "rate_limit_storage", "redis://127.0.0.1:1"),
        ("psycopg", "postgresql", "database_url", "postgresql+psycopg://127.0.0.1:1/saver"),
    ],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str, extra: str, setting: str, url: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    settings = Settings(data_dir=tmp_path, _env_file=None, secret_key="x" * 32, **{setting: url})  # type: ignore[arg-type]
    with pytest.raises(SettingsError) as error:
        create_app(settings)
    assert f"SAVER_{setting.upper()}: needs a Python package" in str(error.value)
    assert package in str(error.value)
    assert f"saver[{extra}]" in str(error.value)
    assert url not in str(error.value)


def test_a_service_on_files_needs_no_extra(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS],
        cwd=ROOT,
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "200 urn:saver:problem:pool-empty\n", done.stderr
