"""The lines of deploy/below-a-path.md in nginx, Apache and Caddy, next to another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.conftest import NO_LIMITS
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import PROXY
from tests.servers.caddy.instance import Caddy
from tests.servers.client import Client
from tests.servers.names import WWW
from tests.servers.nginx.instance import Nginx
from tests.servers.pki import Authority
from tests.servers.web_server import MISSES, WebServer
from tests.support.server import ROOT

PAGE = (ROOT / "deploy" / "below-a-path.md").read_text()
HEALTH = "/memo/healthz"
OTHER_NGINX = '    location / { return 200 "another site"; }\n'
AT_THE_ROOT = "    location / {\n        include /opt/saver/deploy/nginx/app.conf;\n    }\n"
OPERATOR = re.search(
    r"\n    # For this machine only.*?\n    }\n",
    (ROOT / "deploy" / "nginx" / "saver-https.conf").read_text(),
    re.DOTALL,
)
OTHER_APACHE = """\
<VirtualHost *:${{SAVER_HTTPS}}>
    ServerName ${{SAVER_HOST}}
    Include ${{SAVER_HOME}}/apache/conf/tls.conf
    RedirectMatch 404 "^/other$"
{lines}
</VirtualHost>"""


def lines(language: str, number: int = 0) -> str:
    """A block of the page."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return blocks[number]


def nginx(pool_file: Path, authority: Authority, settings: dict[str, object]) -> Nginx:
    assert OPERATOR
    edited = {
        AT_THE_ROOT: lines("nginx", 1) + OTHER_NGINX,
        OPERATOR[0]: "",
    }
    return Nginx(pool_file, authority, settings, edited, "/memo")


def apache(pool_file: Path, authority: Authority, settings: dict[str, object]) -> Apache:
    block = lines("apache").replace("/run/saver/saver.sock", "${SAVER_SOCKET}")
    site = OTHER_APACHE.format(lines=block)
    return Apache(PROXY, pool_file, authority, settings, awaited=HEALTH, site=site)


def caddy(pool_file: Path, authority: Authority, settings: dict[str, object]) -> Caddy:
    edited = {"\timport saver\n": lines("caddy") + '\trespond "another site"\n'}
    return Caddy(pool_file, authority, settings, edited, "/memo")


@pytest.fixture(scope="module", params=[nginx, apache, caddy], ids=lambda make: make.__name__)
def web_server(request: pytest.FixtureRequest, pool_file: Path, authority: Authority) -> Iterator[WebServer]:
    settings = {**NO_LIMITS, "misses_a_minute": MISSES, "public_url": f"https://{WWW}/memo/"}
    made: AbstractContextManager[WebServer] = request.param(pool_file, authority, settings)
    with made as started:
        yield started


@pytest.fixture
def below(web_server: WebServer) -> Client:
    return web_server.client


def test_a_text_goes_in_and_comes_out(below: Client) -> None:
    for number, text in enumerate(("below", "x" * 1_000_000)):
        code = below.post("/memo/api/v1/write", {"text": text}).document["code"]
        assert below.post("/memo/api/v1/load", {"code": code}).document["text"] == text, number


def test_every_link_of_the_page_stays_below_the_path(below: Client) -> None:
    page = below.get("/memo/")
    document = page.body.decode()
    found = re.findall(r'(?:src|href)="([^"#]+)"', document)
    addresses = {urljoin("/memo/", link) for link in found if not link.startswith(("https:", "mailto:"))}
    assert len(addresses) > 5
    assert {address: below.get(address).status for address in addresses} == dict.fromkeys(addresses, 200)
    assert all(address.startswith("/memo/") for address in addresses)
    assert f"https://{WWW}/memo/" in document
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


def test_the_page_is_installed_for_its_path_only(below: Client) -> None:
    manifest = below.get("/memo/manifest.webmanifest").document
    assert (manifest["start_url"], manifest["scope"]) == ("./", "./")
    assert below.get("/memo/service-worker.js").status == 200


def test_without_its_slash_the_path_leads_to_the_page(below: Client) -> None:
    answer = below.get("/memo")
    assert answer.status == 308
    assert urljoin(f"https://{WWW}/memo", answer.headers["location"]).endswith("/memo/")


@pytest.mark.parametrize("route", ["readyz", "metrics", "readyz/", "metrics/", "%72eadyz", "x/../readyz"])
def test_the_operator_s_routes_are_closed(below: Client, route: str) -> None:
    assert below.get(f"/memo/{route}", source="127.0.0.2").status == 403


@pytest.mark.parametrize(
    ("number", "header"), list(enumerate(["X-Forwarded-For", "X-Real-IP", "Forwarded"], 1))
)
def test_no_header_renews_a_limit(below: Client, number: int, header: str) -> None:
    source = f"127.0.5.{number}"
    asked = [
        below.post(
            "/memo/api/v1/load", {"code": "qqqq"}, source=source, headers={header: f"198.51.100.{hop}"}
        ).status
        for hop in range(MISSES + 2)
    ]
    assert asked == [404] * MISSES + [429] * 2


@pytest.mark.parametrize("path", ["/", "/api/v1/limits", "/memoirs/", "/static/0/web/page.js"])
def test_the_rest_of_the_name_is_the_other_site_s(below: Client, path: str) -> None:
    answer = below.get(path)
    assert answer.status in {200, 403, 404}
    assert b"saver" not in answer.body.replace(b"saver.test", b"")
