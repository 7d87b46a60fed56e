"""The document at ``/``: its template, filled in for a language and an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from flask import Response, render_template, request
from markupsafe import Markup, escape

from saver.installation import EXTENSION
from saver.settings import Settings
from saver.web.address import page_address
from saver.web.body import CompressedBody
from saver.web.files import StaticFiles
from saver.web.languages import LANGUAGES, NAMES, Catalogue, catalogue, match_language

PANELS = ("load", "save", "live")
# One for each language, and some for clients that send another Host and for limits that have changed.
_CACHE_SIZE = 4 * len(NAMES)
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
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class Page:
    """Answers with the page. ``limits`` returns the JSON that ``GET /api/v1/limits`` answers with."""

    def __init__(self, files: StaticFiles, limits: Callable[[], str], settings: Settings) -> None:
        self._files = files
        self._limits = limits
        self._settings = settings
        # Files of this repository, as trusted as the template.
        self._panels = {
            name: Markup((EXTENSION / "ui" / f"{name}.html").read_text("utf-8"))  # noqa: S704
            for name in PANELS
        }
        self._modules = files.modules_of("web/page.js")
        self._body = lru_cache(_CACHE_SIZE)(self._make)

    def response(self) -> Response:
        """The page in the visitor's language."""
        address = page_address(self._settings.public_url, self._settings.trusted_proxies)
        body = self._body(requested_language(), address, self._limits())
        response = body.response("text/html; charset=utf-8", "no-store")
        response.headers["Content-Security-Policy"] = _CSP
        response.vary.add("Accept-Language")
        return response

    def _make(self, language: str, address: str, limits: str) -> CompressedBody:
        messages = catalogue(language)
        document = render_template(
            "page.html",
            language=language,
            languages=[(code, NAMES[code]) for code in LANGUAGES],
            messages=messages,
            # Relative, for the page may be below a path that only the proxy knows.
            static=f"static/{self._files.version}",
            modules=self._modules,
            limits=_in_script(limits),
            address=address,
            panels=self._panels,
        )
        return CompressedBody.of(_translate(document, messages).encode())


def requested_language() -> str:
    """What ``?lang=`` says, else what the browser prefers."""
    accepted = [tag for tag, quality in request.accept_languages if quality]
    return match_language([*request.args.getlist("lang"), *accepted])


def _translate(document: str, messages: Catalogue) -> str:
    """Insert the messages that the script would insert, so that they are there before it runs."""
    document = _TRANSLATED_ATTRIBUTE.sub(
        lambda match: f'{match[0]} {_ATTRIBUTES[match[1]]}="{escape(messages[match[2]])}"', document
    )
    return _TRANSLATED_TEXT.sub(lambda match: f"{match[1]}{escape(messages[match[2]])}", document)


def _in_script(document: str) -> Markup:
    """JSON that cannot end the element that it stands in."""
    return Markup(document.replace("<", "\\u003c"))  # noqa: S704
