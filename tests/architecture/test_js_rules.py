"""The rules of ESLint and tsc for the JavaScript: code that breaks one is found."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from _node import tool

from tests.support.node import NODE
from tests.support.server import ROOT

# One run of ESLint for all cases, because starting it takes the most time.
LINT = """
import { ESLint } from "eslint";
const eslint = new ESLint();
const found = [];
for (const [filePath, code] of JSON.parse(process.argv[1])) {
  const [{ messages }] = await eslint.lintText(code, { filePath });
  found.push(messages.map(({ ruleId, message }) => ruleId ?? message));
}
process.stdout.write(JSON.stringify(found));
"""
CORE, UI, POPUP, PAGE = "extension/core/x.js", "extension/ui/x.js", "extension/popup.js", "saver/web/page.js"
EVERYWHERE = (CORE, UI, POPUP, PAGE, "tests/js/x.test.mjs")
GLOBALS, SYNTAX, IMPORTS = "no-restricted-globals", "no-restricted-syntax", "no-restricted-imports"

BROKEN = [
    *((place, "export const put = (on, text) => { on.innerHTML = text; };", SYNTAX) for place in EVERYWHERE),
    *((place, "export const run = (text) => eval(text);", "no-eval") for place in EVERYWHERE),
    *((place, "console.log(1);", "no-console") for place in EVERYWHERE),
    (UI, "export const put = (on, text) => { on.outerHTML = text; };", SYNTAX),
    (UI, 'export const put = (on, text) => on.insertAdjacentHTML("beforeend", text);', SYNTAX),
    (UI, 'export const put = (on, text) => { on["innerHTML"] = text; };', SYNTAX),
    (UI, "export const put = (on, innerHTML) => Object.assign(on, { innerHTML });", SYNTAX),
    (UI, "document.write(location.hash);", SYNTAX),
    (UI, "export const run = (text) => new Function(text);", "no-new-func"),
    (UI, "export const run = (text) => setTimeout(`go(${text})`);", "no-implied-eval"),
    *(
        (CORE, f"export const found = {name}.x;", GLOBALS)
        for name in ("document", "window", "localStorage", "location", "browser", "chrome", "navigator")
    ),
    (CORE, "export const found = globalThis.localStorage;", SYNTAX),
    (CORE, "export const found = new HTMLElement();", "no-undef"),
    (CORE, 'export * from "../ui/dom.js";', IMPORTS),
    (CORE, 'import { byPart } from "../ui/dom.js"; byPart();', IMPORTS),
    (CORE, 'export const later = () => import("../ui/dom.js");', SYNTAX),
    *((place, "export const found = browser.storage;", GLOBALS) for place in (UI, PAGE)),
    *((place, "export const found = globalThis.chrome;", SYNTAX) for place in (UI, PAGE, POPUP)),
    (UI, 'import { store } from "../background.js"; store();', IMPORTS),
    (POPUP, "export const found = chrome.storage;", GLOBALS),
]
WHOLE = [
    (CORE, 'import { seal } from "./seal.js"; export const kept = seal(crypto, fetch, new URL("a:b"));'),
    (UI, 'import { seal } from "../core/seal.js"; import qr from "../vendor/qr.js"; seal(qr, document);'),
    (POPUP, 'import { byPart } from "./ui/dom.js"; byPart(document, browser.storage.local);'),
]


def lint(cases: list[tuple[str, str]]) -> list[list[str]]:
    """The rules that each file breaks."""
    run = subprocess.run(
        [NODE, "--input-type=module", "--eval", LINT, json.dumps(cases)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: list[list[str]] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], list[str]]:
    cases = [*((place, code) for place, code, _ in BROKEN), *WHOLE]
    return dict(zip(cases, lint(cases), strict=True))


@pytest.mark.parametrize(("place", "code", "rule"), BROKEN)
def test_what_breaks_a_rule_is_found(
    found: dict[tuple[str, str], list[str]], place: str, code: str, rule: str
) -> None:
    assert rule in found[place, code]


@pytest.mark.parametrize(("place", "code"), WHOLE)
def test_what_keeps_the_rules_is_left_alone(
    found: dict[tuple[str, str], list[str]], place: str, code: str
) -> None:
    assert found[place, code] == []


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("export const twice = (/** @type {number} */ one) => 2 * one;", True),
        ("export const twice = (one) => 2 * one;", False),
        ("export const start = () => document.body.querySelector('p').remove();", False),
        ("/** @returns {string} */ export const found = () => browser.runtime.id;", True),
    ],
)
def test_types_are_strict(tmp_path: Path, line: str, fits: bool) -> None:
    (tmp_path / "tried.js").write_text(line)
    config = {
        "extends": str(ROOT / "jsconfig.json"),
        "include": ["tried.js"],
        "compilerOptions": {"typeRoots": [str(ROOT / "node_modules" / "@types")]},
    }
    (tmp_path / "jsconfig.json").write_text(json.dumps(config))
    command = [*tool("tsc", NODE), "--noEmit", "--project", tmp_path / "jsconfig.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) == fits, run.stdout
