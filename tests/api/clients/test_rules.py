"""openapi.json passes the checkers of other projects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.clients.tools import npm_tool


def redocly(document: Path) -> str:
    return npm_tool("redocly", "lint", "--extends=recommended", "--format=json", document)


def spectral(document: Path) -> str:
    rules = document.with_name("rules.yaml")
    rules.write_text('extends: ["spectral:oas"]\n')
    return npm_tool("spectral", "lint", "--fail-severity=hint", "--ruleset", rules, document)


def test_redoclys_recommended_rules_find_nothing(document: Path) -> None:
    said = redocly(document)
    found, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_spectrals_rules_find_nothing(document: Path) -> None:
    spectral(document)


@pytest.mark.parametrize(("check", "rule"), [(redocly, "security-defined"), (spectral, "info-contact")])
def test_the_checkers_find_what_is_missing(
    document: Path, tmp_path: Path, check: Callable[[Path], str], rule: str
) -> None:
    described = json.loads(document.read_text())
    del described["security"], described["info"]["contact"]
    (tmp_path / "openapi.json").write_text(json.dumps(described))
    with pytest.raises(AssertionError, match=rule):
        check(tmp_path / "openapi.json")
