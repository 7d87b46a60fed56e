"""Every web server in front of the service: host names, addresses, TLS, and that texts pass unchanged."""

from __future__ import annotations

import gzip
import re
import ssl
import subprocess

import pytest

from tests.servers.client import Answer, Client, request
from tests.servers.names import BARE, WWW
from tests.servers.problems import CHALLENGE, ENCRYPTED_ONLY, HSTS, told_to_say_https
from tests.servers.tls import CIPHERS, TLS_1_3, context, taken_of_1_2
from tests.servers.web_server import IMPERSONATOR, MISSES, WebServer

PATHS = [
    "/",
    "/page.js?version=1",
    "/writer",
    "/writer?expires_in=60",
    "/a%20b?c=%20",
    "/a%0d%0aX-Evil:1",
    "//evil.test/",
]
FORGED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host")
OPERATOR_PATHS = [
    *("/metrics", "/readyz", "/metrics/", "/readyz/", "//metrics", "/%6detrics"),
    *("/./readyz", "/x/../readyz"),
]


def location(web_server: WebServer, path: str) -> str:
    """Where a path on the main host redirects to."""
    return f"https://{WWW}{path.replace('//', '/') if web_server.joins_slashes else path}"


@pytest.mark.parametrize("host", [BARE, WWW, "evil.test", f"{WWW}:8080", "127.0.0.1"])
@pytest.mark.parametrize("path", [*PATHS, "/.well-known/other"])
def test_http_leads_to_the_written_name(web_server: WebServer, host: str, path: str) -> None:
    answer = web_server.client.get(path, host=host, tls=False)
    assert (answer.status, answer.headers["location"]) == (301, location(web_server, path))
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("host", [BARE, "evil.test", "127.0.0.1"])
@pytest.mark.parametrize("path", [*PATHS, "/.well-known/other", "/metrics"])
def test_every_other_name_on_https_leads_there_too(web_server: WebServer, host: str, path: str) -> None:
    answer = web_server.client.get(path, host=host)
    assert (answer.status, answer.headers["location"]) == (308, location(web_server, path))
    assert answer.headers["strict-transport-security"] == HSTS["strict-transport-security"]


@pytest.mark.parametrize("host", [BARE, WWW])
@pytest.mark.parametrize("path", ENCRYPTED_ONLY)
def test_a_program_that_says_http_is_not_led_on(https: Client, host: str, path: str) -> None:
    told_to_say_https(https.get(path, host=host, tls=False))
    post = {"Host": host, "Connection": "close", "Content-Length": "6"}
    told_to_say_https(https.send(request("POST", path, post) + b"CANARY", tls=False))


@pytest.mark.parametrize("host", [BARE, WWW])
def test_challenges_are_served_for_both_names(with_acme_folder: WebServer, host: str) -> None:
    https = with_acme_folder.client
    (with_acme_folder.root / "acme" / CHALLENGE.lstrip("/")).write_text("token.thumbprint")
    answer = https.get(CHALLENGE, host=host, tls=False)
    assert (answer.status, answer.body) == (200, b"token.thumbprint")
    assert https.get(f"{CHALLENGE}.other", host=host, tls=False).status == 404


def test_robots_and_the_contact_are_the_service_s(web_server: WebServer, https: Client) -> None:
    answer = https.get("/robots.txt")
    assert (answer.status, answer.body) == (200, b"User-agent: *\nDisallow: /api/\n")
    path = "/.well-known/security.txt"
    assert web_server.client.get(path, tls=False).headers["location"] == location(web_server, path)
    # The service here has no contact and says so in its own words, which name the description.
    assert "openapi.json" in str(https.get(path).document["detail"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda v: v.name)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(https: Client, version: ssl.TLSVersion) -> None:
    # Refused by the server's alert: a client without these versions would prove nothing.
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        https.connect(context=context(https, version))


def test_of_version_1_2_only_the_profile_s_ciphers_are_taken(https: Client) -> None:
    assert taken_of_1_2(https) == CIPHERS


def test_version_1_3_is_taken(https: Client) -> None:
    with https.connect(context=context(https, ssl.TLSVersion.TLSv1_3)) as connection:
        assert isinstance(connection, ssl.SSLSocket)
        agreed = connection.cipher()
        assert agreed
        assert agreed[0] in TLS_1_3


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384", "P-521", "X448"])
def test_only_the_profile_s_curves_are_taken(web_server: WebServer, group: str) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{web_server.https}", "-servername", WWW]
    asked = subprocess.run(
        [*command, "-groups", group, "-brief"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (asked.returncode == 0) is (group in web_server.curves), asked.stderr.decode()


def miss(https: Client, source: str, **headers: str) -> int:
    """Load an unknown code; the status."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return https.post("/api/v1/load", {"code": "qqqq"}, source=source, headers=sent).status


def forge(header: str, hop: int) -> dict[str, str]:
    """A header that names another client than the one before."""
    return {header: f"for=198.51.100.{hop}" if header == "Forwarded" else f"198.51.100.{hop}"}


@pytest.mark.parametrize(("number", "header"), list(enumerate(FORGED)))
def test_no_header_renews_a_limit(https: Client, number: int, header: str) -> None:
    source = f"127.0.1.{number + 1}"
    forged = [forge(header, hop) for hop in range(MISSES + 3)]
    assert [miss(https, source, **each) for each in forged] == [404] * MISSES + [429] * 3


def test_every_address_has_a_limit_of_its_own(https: Client) -> None:
    assert {miss(https, "127.0.2.1") for _ in range(MISSES + 1)} == {404, 429}
    assert miss(https, "127.0.2.2") == 404


def test_an_ipv6_64_is_one_source(impersonating: WebServer) -> None:
    """A module that only the tests load makes the address that the web server sees."""
    https = impersonating.client
    asked = [
        miss(https, IMPERSONATOR, X_Test_Address=f"2001:db8:1:2::{host}") for host in range(1, MISSES + 2)
    ]
    assert asked == [404] * MISSES + [429]
    assert miss(https, IMPERSONATOR, X_Test_Address="2001:db8:1:3::1") == 404


@pytest.mark.parametrize("path", OPERATOR_PATHS)
def test_the_operator_s_routes_are_for_this_machine(web_server: WebServer, https: Client, path: str) -> None:
    assert https.get(path).status in web_server.operator_statuses
    for headers in ({}, {name: "127.0.0.1" for name in FORGED}):
        if web_server.operator_is_one_address:
            is_refused(https.get(path, source="127.0.0.2", headers=headers))


@pytest.mark.parametrize("path", OPERATOR_PATHS)
def test_the_operator_s_routes_are_for_loopback_addresses(impersonating: WebServer, path: str) -> None:
    https = impersonating.client
    by_ipv6 = https.get(path, source=IMPERSONATOR, headers={"X-Test-Address": "::1"})
    assert by_ipv6.status == https.get(path).status
    for headers in ({}, {name: "127.0.0.1" for name in FORGED}):
        is_refused(
            https.get(path, source=IMPERSONATOR, headers={**headers, "X-Test-Address": "198.51.100.7"})
        )


def is_refused(answer: Answer) -> None:
    """The answer is the problem of the web server."""
    assert (answer.status, answer.document["type"]) == (403, "urn:saver:problem:http-403")


def test_a_text_goes_in_and_comes_out(https: Client) -> None:
    text = "line\r\n한국어 😀\ufeff"
    written = https.post("/api/v1/write", {"text": text, "password": "four easy words here"})
    assert written.status == 201
    assert written.headers["strict-transport-security"] == HSTS["strict-transport-security"]
    body = {"code": written.document["code"], "password": "four easy words here"}
    loaded = https.post("/api/v1/load", body)
    assert (loaded.status, loaded.document["text"]) == (200, text)


def test_the_page_and_its_script_are_served(https: Client) -> None:
    page = https.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    [address] = re.findall(rb'src="(static/\w+/web/page\.js)"', page.body)
    script = https.get(f"/{address.decode()}")
    assert (script.status, script.headers["content-type"].partition(";")[0]) == (200, "text/javascript")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_page_is_compressed_once_and_the_api_never(https: Client) -> None:
    ask = {"Accept-Encoding": "gzip, deflate, br"}
    page = https.get("/", headers=ask)
    assert page.headers["content-encoding"] == "gzip"
    assert gzip.decompress(page.body) == https.get("/").body
    text = "much the same " * 1_000
    written = https.post("/api/v1/write", {"text": text}, headers=ask)
    code = written.document["code"]
    old = {"wrtext": text, "wrpassword": "", "wrdelete_at": "1h"}
    answers = [
        written,
        https.post("/api/v1/load", {"code": code}, headers=ask),
        # As plain text, which Debian's Apache compresses.
        https.post("/api/v1/load", {"code": code}, headers={**ask, "Accept": "text/plain"}),
        https.post("/api/v1/load", {"code": "zzzz"}, headers=ask),
        https.post("/write/", old, headers=ask),
        https.post("/load/", {"ldcode": code, "ldpassword": ""}, headers=ask),
        https.get("/api/v1/limits", headers=ask),
        https.get("/api/v1/openapi.json", headers=ask),
    ]
    assert [answer.headers.get("content-encoding") for answer in answers] == [None] * len(answers)
    assert [text.encode() in answer.body for answer in answers].count(True) == 3
