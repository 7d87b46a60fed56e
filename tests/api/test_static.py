"""The files of the page: their URLs, how long they are cached, and which are sent compressed."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from saver.web.files import static_files, version_of
from saver.web.languages import LANGUAGES
from tests.support.node import NODE
from tests.support.server import ROOT

FOLDERS = {
    "web": ROOT / "saver" / "web",
    "core": ROOT / "extension" / "core",
    "ui": ROOT / "extension" / "ui",
    "vendor": ROOT / "extension" / "vendor",
}
CONTENT_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
FILES = [
    (folder, path)
    for folder, place in FOLDERS.items()
    for path in place.iterdir()
    if path.suffix in CONTENT_TYPES
]
FONT = "vendor/atkinson-hyperlegible-mono-latin-600-normal.woff2"
# Transferred at the first visit.
MAX_BYTES = 100_000
EVERYTHING = "gzip, deflate, br, zstd, *"


@pytest.fixture
def static(client: FlaskClient) -> str:
    """The URL folder of the current files."""
    found = re.search(r'href="(static/\w{12})/', client.get("/").text)
    assert found
    return f"/{found[1]}"


def test_every_file_of_the_page_is_served_for_ever(client: FlaskClient, static: str) -> None:
    assert len(FILES) > 50
    for folder, path in FILES:
        answer = client.get(f"{static}/{folder}/{path.name}")
        if path.suffix != ".js":
            assert answer.data == path.read_bytes()
        assert answer.mimetype == CONTENT_TYPES[path.suffix]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_page_of_another_version_gets_the_files_of_now_and_does_not_keep_them(
    client: FlaskClient, static: str
) -> None:
    now = client.get(f"{static}/core/api.js")
    other = client.get("/static/0123456789ab/core/api.js")
    assert (other.status_code, other.data) == (200, now.data)
    assert other.headers["Cache-Control"] == "no-store"


def test_another_name_or_byte_is_another_version() -> None:
    version = version_of({"core/a.js": b"1", "core/b.js": b"2"})
    assert version == version_of({"core/b.js": b"2", "core/a.js": b"1"})
    others = [
        {"core/a.js": b"1", "core/c.js": b"2"},
        {"core/a.js": b"1", "core/b.js": b"3"},
        {"core/a.js": b"1"},
        {"core/a.js": b"", "core/b.js": b"12"},
    ]
    assert len({version, *map(version_of, others)}) == 5


@pytest.mark.parametrize(
    "path",
    [
        "web/__init__.py",
        "web/page.html",
        "web/../app.py",
        "web/%2e%2e/app.py",
        "ui/..%2fcore%2fapi.js",
        "ui/load.html",
        "vendor/README.md",
        "core/",
        "extension/core/api.js",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, static: str, path: str) -> None:
    assert client.get(f"{static}/{path}").status_code == 404
    assert client.get(f"/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/", "{static}/core/api.js", "/manifest.webmanifest", "/service-worker.js"])
def test_the_page_and_its_files_are_compressed_for_who_takes_that(
    client: FlaskClient, static: str, path: str
) -> None:
    url = path.format(static=static)
    plain = client.get(url)
    for accepted in ("", "identity", "br", "gzip;q=0"):
        answer = client.get(url, headers={"Accept-Encoding": accepted})
        assert (answer.data, answer.headers.get("Content-Encoding")) == (plain.data, None)
        assert "Accept-Encoding" in answer.headers["Vary"]
    for accepted in ("gzip", EVERYTHING, "br;q=1, gzip;q=0.1"):
        answer = client.get(url, headers={"Accept-Encoding": accepted})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data) == plain.data
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data)


def test_what_is_compressed_already_is_left_as_it_is(client: FlaskClient, static: str) -> None:
    answer = client.get(f"{static}/{FONT}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_no_answer_of_the_api_is_compressed(client: FlaskClient) -> None:
    """Otherwise the length of an answer would show what an attacker's part has in common with the secret."""
    ask = {"Accept-Encoding": EVERYTHING}
    text = "much the same " * 1_000
    written = client.post("/api/v1/write", json={"text": text, "expires_in": 600}, headers=ask)
    code, token = written.json["code"], written.json["owner_token"]
    old = client.post("/write/", json={"wrtext": text, "wrpassword": "", "wrdelete_at": "1h"}, headers=ask)
    posts: list[tuple[str, dict[str, object]]] = [
        ("/api/v1/load", {"code": code}),
        ("/api/v1/load", {"code": "zzzz"}),
        ("/api/v1/status", {"code": code, "owner_token": token}),
        ("/api/v1/extend", {"code": code, "owner_token": token, "expires_in": 900}),
        ("/load/", {"ldcode": old.json["message"], "ldpassword": ""}),
    ]
    answers = [written, old, *(client.post(path, json=body, headers=ask) for path, body in posts)]
    plain = {"Accept": "text/plain", **ask}
    answers.append(client.post("/api/v1/load", json={"code": code}, headers=plain))
    answers += [client.get(path, headers=ask) for path in ("/api/v1/limits", "/api/v1/openapi.json")]
    answers += [client.get(path, headers=ask) for path in ("/healthz", "/readyz", "/metrics", "/api/v1/no")]
    assert [answer.request.path for answer in answers if "Content-Encoding" in answer.headers] == []
    assert sum(text in answer.text for answer in answers) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_visit_is_small(client: FlaskClient, static: str, language: str) -> None:
    head = client.get(f"/?lang={language}").text
    linked = re.findall(r'(?:href|src)="((?:static|manifest)[^"]+)"', head)
    assert len(linked) > 40
    sizes = {
        path: len(client.get(path, headers={"Accept-Encoding": "gzip"}).data)
        for path in ["/", *(f"/{path}" for path in linked), f"{static}/{FONT}"]
    }
    assert sum(sizes.values()) <= MAX_BYTES, sizes


def test_every_module_is_preloaded(client: FlaskClient) -> None:
    listed = re.findall(r'modulepreload" href="static/\w+/(.*?)"', client.get("/").text)
    assert set(listed) == _imports_of("web/page.js") - {"web/page.js"}
    assert len(listed) == len(set(listed)) > 20


def _imports_of(name: str) -> set[str]:
    folder, _, file = name.partition("/")
    found = {name}
    source = Path(FOLDERS[folder] / file).read_text("utf-8")
    for path in re.findall(r'^(?:import .*|\} )from "(.*)";', source, re.MULTILINE):
        found |= _imports_of(path.removeprefix("../") if path.startswith("../") else f"{folder}/{path[2:]}")
    return found


def test_only_comments_are_removed_from_a_script() -> None:
    pairs = [
        [path.read_text("utf-8"), static_files().bodies[f"{folder}/{path.name}"].plain.decode()]
        for folder, place in FOLDERS.items()
        for path in sorted(place.glob("*.js"))
    ]
    assert len(pairs) > 50
    compare = """
        import { parse } from "acorn";
        import { text } from "node:stream/consumers";
        const tree = (source) => JSON.stringify(
            parse(source, { ecmaVersion: "latest", sourceType: "module" }),
            (key, value) =>
                ["start", "end"].includes(key) ? undefined : typeof value === "bigint" ? `${value}n` : value,
        );
        for (const [written, sent] of JSON.parse(await text(process.stdin))) {
            if (tree(written) !== tree(sent)) throw new Error(sent);
        }
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", compare],
        input=json.dumps(pairs),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # A large part of each file is comments.
    assert sum(len(sent) for _, sent in pairs) < 0.75 * sum(len(written) for written, _ in pairs)
