"""The page at ``/``, and the files that it is made of.

Its script is the extension's: the same files, served from where they lie.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, abort

from saver.clock import Clock
from saver.settings import Settings
from saver.web.body import CompressedBody
from saver.web.files import FOLDERS, WEB, StaticFiles, static_files
from saver.web.languages import LANGUAGES
from saver.web.manifest import manifest
from saver.web.page import Page, requested_language
from saver.web.well_known import ROBOTS, security_txt

_A_DAY = "public, max-age=86400"


def blueprint(limits: Callable[[], str], settings: Settings, clock: Clock) -> Blueprint:
    """The routes, to be registered with the app. ``limits`` returns what ``GET /api/v1/limits`` answers."""
    files = static_files()
    routes = Blueprint("web", __name__, template_folder=str(WEB))
    routes.get("/", endpoint="page")(Page(files, limits, settings).response)
    folders = ", ".join(FOLDERS)
    routes.get(f"/static/<version>/<any({folders}):folder>/<name>", endpoint="file")(
        lambda version, folder, name: files.response(version, f"{folder}/{name}")
    )
    manifests = _manifests(files)
    routes.get("/manifest.webmanifest", endpoint="manifest")(
        lambda: manifests[requested_language()].response("application/manifest+json", _A_DAY)
    )
    # Not below a version: a service worker controls the folder of its URL, and is updated at the same URL.
    routes.get("/service-worker.js", endpoint="worker")(
        lambda: files.bodies["web/service-worker.js"].response("text/javascript; charset=utf-8", "no-cache")
    )
    routes.post("/share", endpoint="share")(_share)
    routes.get("/robots.txt", endpoint="robots")(lambda: _text(ROBOTS, _A_DAY))
    routes.get("/.well-known/security.txt", endpoint="security")(
        lambda: _text(security_txt(settings.contact, clock()) or abort(404), "no-cache")
    )
    return routes


def _manifests(files: StaticFiles) -> dict[str, CompressedBody]:
    static = f"static/{files.version}"
    return {language: CompressedBody.of(manifest(language, static)) for language in LANGUAGES}


def _text(content: str, cache_control: str) -> Response:
    return Response(
        content, headers={"Cache-Control": cache_control}, content_type="text/plain; charset=utf-8"
    )


def _share() -> Response:
    """A text from a share menu that no service worker caught: it is not read. 303 asks without a body."""
    return Response(status=303, headers={"Location": "./"})
