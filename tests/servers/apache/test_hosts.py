"""Redirects between the three hosts, ACME challenges, and unknown host names."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.conftest import NO_LIMITS
from tests.servers.apache.instance import Apache
from tests.servers.apache.shipped import VARIANTS
from tests.servers.client import Client, request
from tests.servers.names import BARE, WWW
from tests.servers.pki import Authority
from tests.servers.problems import CHALLENGE


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
    with Apache(
        variant,
        database,
        authority,
        NO_LIMITS,
        SAVER_BARE=None,
        SAVER_CERT=certificate.chain,
        SAVER_KEY=certificate.key,
    ) as apache:
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
