"""nginx with the lines that docs/several-servers.md has for a service below a path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NO_LIMITS
from tests.servers.client import Client
from tests.servers.names import WWW
from tests.servers.nginx.instance import Nginx
from tests.servers.pki import Authority
from tests.support.server import ROOT

PAGE = ROOT / "docs" / "several-servers.md"
AT_THE_ROOT = "    location / {\n        include /opt/saver/deploy/nginx/app.conf;\n    }\n"


@pytest.fixture(scope="module")
def below(pool_file: Path, authority: Authority) -> Iterator[Client]:
    """A client of a service at ``/memo``."""
    [lines] = re.findall(r"^```nginx\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    with Nginx(pool_file, authority, NO_LIMITS, {AT_THE_ROOT: lines}, "/memo") as nginx:
        yield nginx.client


def test_the_page_and_the_api_are_below_the_path(below: Client) -> None:
    assert below.get("/memo/static/0/web/page.js").status == 200
    code = below.post("/memo/api/v1/write", {"text": "below"}).document["code"]
    assert below.post("/memo/api/v1/load", {"code": code}).document["text"] == "below"


def test_without_its_slash_the_path_leads_to_the_page(below: Client) -> None:
    answer = below.get("/memo")
    assert (answer.status, answer.headers["location"]) == (308, f"https://{WWW}/memo/")


@pytest.mark.parametrize(
    ("path", "status"), [("/memo/readyz", 403), ("/memo/metrics", 403), ("/static/0/web/page.js", 404)]
)
def test_nothing_else_is_open(below: Client, path: str, status: int) -> None:
    assert below.get(path).status == status
