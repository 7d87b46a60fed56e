"""The locked versions fit together, with the extras."""

from __future__ import annotations

from pathlib import Path

import pytest
from _conflicts import conflicts, names_in

from tests.support.server import ROOT


def test_what_is_locked_goes_together() -> None:
    assert conflicts(names_in(ROOT / "requirements.txt")) == []


@pytest.mark.parametrize(
    ("wanted", "runtime", "is_reported"),
    [
        ("redis<1", set(), True),
        ("redis<1; extra == 'store'", {"planted", "redis"}, True),
        ("redis<1; extra == 'store'", {"redis"}, False),
        ("redis<1; python_version < '3'", {"planted", "redis"}, False),
        ("redis>1", {"planted", "redis"}, False),
        ("nobody-has-it<1", {"planted"}, False),
    ],
)
def test_an_unmet_requirement_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, runtime: set[str], is_reported: bool
) -> None:
    (tmp_path / "planted-1.0.dist-info").mkdir()
    metadata = f"Name: planted\nVersion: 1.0\nProvides-Extra: store\nRequires-Dist: {wanted}\n"
    (tmp_path / "planted-1.0.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [line for line in conflicts(runtime) if line.startswith("planted 1.0 wants redis<1")]
    assert bool(found) == is_reported
