"""TLS by Mozilla's guideline 6.0, "intermediate"."""

from __future__ import annotations

import re
import ssl
import subprocess

import pytest

from tests.servers.apache.client import Client
from tests.servers.apache.instance import Apache
from tests.servers.apache.names import WWW

# Of the six, those for the key that the tests' certificate has.
CIPHERS = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}
# Without a shared secret no client can even offer them.
UNUSABLE = re.compile("PSK|SRP")
TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def context(https: Client, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """A client that speaks one version only and, where OpenSSL can, every cipher there ever was."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(https.context.get_ca_certs(True)[0]))
    made.set_ciphers(ciphers)
    made.minimum_version = made.maximum_version = version
    return made


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda v: v.name)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(https: Client, version: ssl.TLSVersion) -> None:
    # By the server's alert: a client that cannot speak them would prove nothing.
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        https.connect(context=context(https, version))


def taken_of_1_2(https: Client) -> set[str]:
    """Of all the ciphers of version 1.2 that a client can offer, those that are taken."""
    known = {
        str(cipher["name"])
        for cipher in context(https, ssl.TLSVersion.TLSv1_2).get_ciphers()
        if cipher["protocol"] != "TLSv1.3" and not UNUSABLE.search(str(cipher["name"]))
    }
    assert len(known) > 40
    return {name for name in known if takes(https, name)}


def test_of_version_1_2_only_the_profile_s_ciphers_are_taken(https: Client) -> None:
    assert taken_of_1_2(https) == CIPHERS


def takes(https: Client, cipher: str) -> bool:
    """Whether Apache agrees on this cipher; if not it must be Apache who says so."""
    offer = context(https, ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0")
    try:
        with https.connect(context=offer):
            return True
    except ssl.SSLError as error:
        if "alert handshake failure" in str(error):
            return False
        raise


def test_version_1_3_is_taken(https: Client) -> None:
    with https.connect(context=context(https, ssl.TLSVersion.TLSv1_3)) as connection:
        assert isinstance(connection, ssl.SSLSocket)
        agreed = connection.cipher()
        assert agreed
        assert agreed[0] in TLS_1_3


@pytest.mark.parametrize(
    ("group", "taken"),
    [("X25519", True), ("P-256", True), ("P-384", True), ("P-521", False), ("X448", False)],
)
def test_only_the_profile_s_curves_are_taken(apache: Apache, group: str, taken: bool) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{apache.https}", "-servername", WWW]
    asked = subprocess.run(
        [*command, "-groups", group, "-brief"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (asked.returncode == 0) is taken, asked.stderr.decode()


def test_nothing_is_resumed_by_a_ticket(apache: Apache) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{apache.https}", "-servername", WWW, "-tls1_2"]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout.decode()
    assert "Cipher is ECDHE" in said
    assert "session ticket" not in said
