"""The page at ``/``, and the files that it is made of.

Its script is the extension's: the same files, served from where they lie.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, send_from_directory
from markupsafe import Markup, escape

HERE = Path(__file__).parent
EXTENSION = HERE.parent.parent / "extension"

LANGUAGES = ("en", "ko")
PANELS = ("load", "save")
# All that can be fetched: files of these kinds, straight in these folders.
_FOLDERS = {"web": HERE, **{name: EXTENSION / name for name in ("core", "ui", "vendor")}}
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
_TRANSLATED_TEXT = re.compile(r'(<[^<>]*\sdata-i18n="(\w+)"[^<>]*>)')
_TRANSLATED_ATTRIBUTE = re.compile(r'data-i18n-(label|placeholder)="(\w+)"')
_ATTRIBUTES = {"label": "aria-label", "placeholder": "placeholder"}
_CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def blueprint() -> Blueprint:
    """The routes, to be registered with the app."""
    routes = Blueprint("web", __name__, template_folder=str(HERE))
    catalogues = {language: _catalogue(language) for language in LANGUAGES}
    # Ours, and as trusted as the template is.
    panels = {name: Markup((EXTENSION / "ui" / f"{name}.html").read_text("utf-8")) for name in PANELS}  # noqa: S704
    routes.get("/", endpoint="page")(lambda: _page(panels, catalogues))
    routes.get("/<any(web, core, ui, vendor):folder>/<name>", endpoint="file")(_file)
    return routes


def _page(panels: dict[str, Markup], catalogues: dict[str, dict[str, str]]) -> Response:
    language = _language()
    document = render_template("page.html", language=language, panels=panels, languages=[("en", "English"), ("ko", "한국어")])
    return Response(_translate(document, catalogues[language]), headers={"Content-Security-Policy": _CSP})


def _translate(document: str, words: dict[str, str]) -> str:
    """Insert the messages that the script would insert, so that they are there before it runs."""
    document = _TRANSLATED_ATTRIBUTE.sub(
        lambda found: f'{found[0]} {_ATTRIBUTES[found[1]]}="{escape(words[found[2]])}"', document
    )
    return _TRANSLATED_TEXT.sub(lambda found: f"{found[1]}{escape(words[found[2]])}", document)


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
