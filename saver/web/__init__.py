"""The page at ``/``, and the files that it is made of.

Its script is the extension's: the same files, served from where they lie.
"""

from __future__ import annotations

import json
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, send_from_directory

HERE = Path(__file__).parent
EXTENSION = HERE.parent.parent / "extension"

LANGUAGES = ("en", "ko")
# All that can be fetched: files of these kinds, straight in these folders.
_FOLDERS = {"web": HERE, "core": EXTENSION / "core", "ui": EXTENSION / "ui"}
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def blueprint() -> Blueprint:
    """The routes, to be registered with the app."""
    routes = Blueprint("web", __name__, template_folder=str(HERE))
    catalogues = {language: _catalogue(language) for language in LANGUAGES}
    routes.get("/", endpoint="page")(lambda: _page(catalogues))
    routes.get("/<any(web, core, ui):folder>/<name>", endpoint="file")(_file)
    return routes


def _page(catalogues: dict[str, dict[str, str]]) -> Response:
    language = _language()
    document = render_template("page.html", language=language, words=catalogues[language])
    return Response(document, headers={"Content-Security-Policy": _CSP})


def _language() -> str:
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _file(folder: str, name: str) -> Response:
    kind = _KINDS.get(Path(name).suffix)
    if kind is None:
        abort(404)
    return send_from_directory(_FOLDERS[folder], name, mimetype=kind)


def _catalogue(language: str) -> dict[str, str]:
    catalogue: dict[str, str] = json.loads((EXTENSION / "ui" / f"{language}.json").read_text("utf-8"))
    return catalogue
