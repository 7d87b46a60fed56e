"""The web app manifest, by which the page can be installed and then stands in the share menu of a phone."""

from __future__ import annotations

import json

from saver.web.languages import catalogue

NAME = "saver"
THEME = "#0b6b57"
BACKGROUND = "#f3f5f3"


def manifest(language: str, static: str) -> bytes:
    """The manifest in a language. Addresses are relative: the page may be below a path."""
    document = {
        "name": NAME,
        "short_name": NAME,
        "description": catalogue(language)["tagline"],
        "lang": language,
        "dir": "ltr",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "theme_color": THEME,
        "background_color": BACKGROUND,
        "icons": [
            _icon(static, "icon-192.png", 192, "any"),
            _icon(static, "icon-512.png", 512, "any"),
            _icon(static, "icon-maskable-512.png", 512, "maskable"),
        ],
        # A GET would put the text into an address.
        "share_target": {
            "action": "share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "url": "url",
                "files": [{"name": "files", "accept": ["text/plain", ".txt"]}],
            },
        },
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _icon(static: str, name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": f"{static}/web/{name}",
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }
