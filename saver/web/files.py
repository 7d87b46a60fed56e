"""The files of the page, and the extension's that it shares, in memory under one versioned folder.

``static/<version>/`` names them by what is in them, so a browser asks for each only once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Response, abort

from saver.installation import EXTENSION
from saver.web.body import CompressedBody

WEB = Path(__file__).parent

# All that can be fetched: files of these kinds, straight in these folders.
FOLDERS = {"web": WEB, **{name: EXTENSION / name for name in ("core", "ui", "vendor")}}
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_IMPORTED = re.compile(r'^(?:import|export|\})[^"\n]*"(\.{1,2}/[^"\n]+)";', re.MULTILINE)
# Those that have their lines for themselves: no string and no regular expression of ours looks so.
_COMMENT_LINES = re.compile(rb"^[ \t]*/\*.*?\*/[ \t]*\n|^[ \t]*//[^\n]*\n", re.MULTILINE | re.DOTALL)
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """Files by folder and name, such as ``core/api.js``."""

    version: str
    bodies: dict[str, CompressedBody]

    def response(self, version: str, path: str) -> Response:
        """A file, to be kept for ever if the version is the one of now.

        A page that was opened before an upgrade, or that another server made while several are upgraded, asks
        for its own version. It gets the files of now: most go together, and without them it is of no use.
        """
        if path not in self.bodies:
            abort(404)
        caching = _FOREVER if version == self.version else "no-store"
        return self.bodies[path].response(_KINDS[Path(path).suffix], caching)

    def modules_of(self, path: str) -> list[str]:
        """The modules that a module imports, and theirs: those that are fetched later are not among them."""
        found: dict[str, None] = {}
        queue = [path]
        while queue:
            importer = queue.pop(0)
            folder = importer.partition("/")[0]
            for target in _IMPORTED.findall(self.bodies[importer].plain.decode()):
                module = target.removeprefix("../") if target.startswith("../") else f"{folder}/{target[2:]}"
                if module not in found and module != path:
                    found[module] = None
                    queue.append(module)
        return sorted(found)


@cache
def static_files() -> StaticFiles:
    """Read and compress them, once in a process."""
    paths = [
        (f"{name}/{path.name}", path)
        for name, folder in FOLDERS.items()
        for path in folder.iterdir()
        if path.suffix in _KINDS
    ]
    contents = {name: _content(path) for name, path in paths}
    return StaticFiles(
        version_of(contents), {name: CompressedBody.of(content) for name, content in contents.items()}
    )


def _content(path: Path) -> bytes:
    """What is sent of a file: comments are a third of our scripts, and are read where they lie.

    Licences in other projects' files stay.
    """
    content = path.read_bytes()
    is_ours = path.suffix == ".js" and path.parent.name != "vendor"
    return _COMMENT_LINES.sub(b"", content) if is_ours else content


def version_of(contents: Mapping[str, bytes]) -> str:
    """A short digest of names and bytes."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        # The lengths keep names and contents apart that are the same when joined.
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]
