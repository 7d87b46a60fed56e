"""Who is led where: the three hosts, challenges, and names that are nobody's."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from saver.api.problems import MEDIA_TYPE
from tests.conftest import NO_LIMITS
from tests.servers.apache.client import Answer, Client, request
from tests.servers.apache.instance import Apache
from tests.servers.apache.names import BARE, WWW
from tests.servers.apache.pki import Authority
from tests.servers.apache.shipped import VARIANTS
from tests.support.server import ROOT

CHALLENGE = "/.well-known/acme-challenge/token"
ENCRYPTED_ONLY = ("/write", "/write/", "/load/", "/api/v1/write", "/api/v1/load/", "/api/v1/limits")
PATHS = {
    "/": "/",
    "/page.js?version=1": "/page.js?version=1",
    "/writer": "/writer",
    "/a%20b?c=%20": "/a%20b?c=%20",
    "/a%0d%0aX-Evil:1": "/a%0d%0aX-Evil:1",
    "//evil.test/": "/evil.test/",
    "/.well-known/other": "/.well-known/other",
}


@pytest.mark.parametrize("host", [BARE, WWW, "evil.test", f"{WWW}:8080", "127.0.0.1"])
@pytest.mark.parametrize("path", PATHS)
def test_http_leads_to_the_written_name(https: Client, host: str, path: str) -> None:
    answer = https.get(path, host=host, tls=False)
    assert answer.status == 301
    assert answer.headers["location"] == f"https://{WWW}{PATHS[path]}"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("host", [BARE, WWW])
@pytest.mark.parametrize("path", ENCRYPTED_ONLY)
def test_a_program_that_says_http_is_not_led_on(https: Client, host: str, path: str) -> None:
    told_to_say_https(https.get(path, host=host, tls=False))
    post = {"Host": host, "Connection": "close", "Content-Length": "6"}
    told_to_say_https(https.send(request("POST", path, post) + b"CANARY", tls=False))


def told_to_say_https(answer: Answer) -> None:
    """The answer is the problem that says what is wrong, and no redirect."""
    assert (answer.status, answer.headers["content-type"]) == (403, MEDIA_TYPE)
    assert answer.document == json.loads((ROOT / "apache" / "errors" / "plain" / "403.json").read_text())
    assert "location" not in answer.headers


@pytest.mark.parametrize("host", [BARE, "evil.test", "127.0.0.1"])
@pytest.mark.parametrize("path", PATHS)
def test_every_other_name_on_https_leads_there_too(https: Client, host: str, path: str) -> None:
    answer = https.get(path, host=host)
    assert (answer.status, answer.headers["location"]) == (308, f"https://{WWW}{PATHS[path]}")
    assert answer.headers["strict-transport-security"] == "max-age=63072000"


@pytest.mark.parametrize("host", [BARE, WWW])
def test_challenges_are_served_for_both_names(apache: Apache, https: Client, host: str) -> None:
    (apache.root / "acme" / CHALLENGE.lstrip("/")).write_text("token.thumbprint")
    answer = https.get(CHALLENGE, host=host, tls=False)
    assert (answer.status, answer.body) == (200, b"token.thumbprint")
    assert https.get(f"{CHALLENGE}.other", host=host, tls=False).status == 404


@pytest.mark.parametrize("variant", VARIANTS)
def test_before_the_first_certificate_there_are_challenges(
    variant: str, database: Path, authority: Authority
) -> None:
    absent = {"SAVER_CERT": "/nonexistent/chain.pem", "SAVER_KEY": "/nonexistent/key.pem"}
    with Apache(
        variant, database, authority, NO_LIMITS, awaited="/", gunicorn=False, **absent
    ) as apache:  # fmt: skip
        (apache.root / "acme" / CHALLENGE.lstrip("/")).write_text("token.thumbprint")
        assert apache.client.get(CHALLENGE, host=BARE, tls=False).body == b"token.thumbprint"


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_name_needs_no_other(variant: str, database: Path, authority: Authority) -> None:
    certificate = authority.certify(WWW)
    own = {"SAVER_BARE": None, "SAVER_CERT": certificate.chain, "SAVER_KEY": certificate.key}
    with Apache(variant, database, authority, NO_LIMITS, **own) as apache:
        assert apache.client.get("/").status == 200
        for host in (WWW, "evil.test"):
            led = apache.client.get("/a", host=host, tls=False)
            assert (led.status, led.headers["location"]) == (301, f"https://{WWW}/a")
        led = apache.client.get("/a", host="evil.test")
        assert (led.status, led.headers["location"]) == (308, f"https://{WWW}/a")


def test_the_certificate_holds_both_names_and_no_other(https: Client) -> None:
    for name in (BARE, WWW):
        https.connect(name=name).close()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'evil\.test'"):
        https.connect(name="evil.test")


def test_the_old_protocol_is_spoken_to_those_who_name_the_host(https: Client) -> None:
    named = request("GET", "/healthz", {"Host": WWW}, version="1.0")
    assert https.send(named).document == {"status": "ok"}
    assert https.send(request("GET", "/healthz", {}, version="1.0")).status == 400
    assert https.send(b"GET /healthz\r\n\r\n").status == 400


def test_a_text_goes_in_and_comes_out(https: Client) -> None:
    text = "line\r\n한국어 😀\ufeff"
    written = https.post("/api/v1/write", {"text": text, "password": "four easy words here"})
    assert written.status == 201
    loaded = https.post(
        "/api/v1/load", {"code": written.document["code"], "password": "four easy words here"}
    )
    assert (loaded.status, loaded.document["text"]) == (200, text)


def test_the_page_and_its_script_are_served(https: Client) -> None:
    page = https.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    script = https.get("/core/api.js")
    assert (script.status, script.headers["content-type"].partition(";")[0]) == (200, "text/javascript")
