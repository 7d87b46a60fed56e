"""The installed page: its manifest, icons and service worker, and the route for shared texts."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from saver.web.files import static_files
from saver.web.languages import LANGUAGES
from tests.support.markup import attribute
from tests.support.server import ROOT

UI = ROOT / "extension" / "ui"
WEB = ROOT / "saver" / "web"


@pytest.fixture
def manifest(client: FlaskClient) -> dict[str, object]:
    answer = client.get("/manifest.webmanifest?lang=ko")
    assert answer.mimetype == "application/manifest+json"
    found: dict[str, object] = json.loads(answer.data)
    return found


def test_the_manifest_is_in_the_language(client: FlaskClient) -> None:
    for language in LANGUAGES:
        words = json.loads((UI / f"{language}.json").read_text("utf-8"))
        found = json.loads(client.get(f"/manifest.webmanifest?lang={language}").data)
        assert (found["lang"], found["description"]) == (language, words["tagline"])


def test_the_icons_have_the_sizes_that_are_said(client: FlaskClient, manifest: dict[str, object]) -> None:
    icons = manifest["icons"]
    assert isinstance(icons, list)
    assert {(icon["sizes"], icon["purpose"]) for icon in icons} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    touch = attribute(client.get("/").text, 'link rel="apple-touch-icon"')
    for path, size in [*((icon["src"], icon["sizes"]) for icon in icons), (touch, "180x180")]:
        image = client.get(f"/{path}").data
        assert image.startswith(b"\x89PNG")
        assert "x".join(map(str, struct.unpack(">II", image[16:24]))) == size


def test_a_shared_text_never_comes_in_an_address(manifest: dict[str, object]) -> None:
    target = manifest["share_target"]
    assert isinstance(target, dict)
    assert (target["action"], target["method"], target["enctype"]) == ("share", "POST", "multipart/form-data")
    assert set(target["params"]) == {"title", "text", "url", "files"}


def test_the_worker_is_in_charge_of_the_page_and_looked_for_again(client: FlaskClient) -> None:
    answer = client.get("/service-worker.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.data == static_files().bodies["web/service-worker.js"].plain


def test_a_share_that_no_worker_caught_is_not_read(client: FlaskClient) -> None:
    class Unread:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the text was read")

        readline = readlines = read

        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("the text was read")

    answer = client.post(
        "/share",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "1000"},
    )
    # Without a host, so that no host of a request is repeated, and also below a path.
    assert (answer.status_code, answer.headers["Location"]) == (303, "./")
    assert answer.data == b""
