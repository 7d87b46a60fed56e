"""What a TLS client can offer, and what a server accepts."""

from __future__ import annotations

import re
import ssl

from tests.servers.client import Client

# The ciphers of Mozilla's guideline 6.0, "intermediate", for the key of the tests' certificate.
CIPHERS = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}
# A client can offer these only with a shared secret.
UNUSABLE = re.compile("PSK|SRP")
TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def context(https: Client, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """A client with one version and every cipher that OpenSSL has."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(https.context.get_ca_certs(True)[0]))
    made.set_ciphers(ciphers)
    made.minimum_version = made.maximum_version = version
    return made


def taken_of_1_2(https: Client) -> set[str]:
    """The ciphers of version 1.2 that the server accepts, of all that a client can offer."""
    known = {
        str(cipher["name"])
        for cipher in context(https, ssl.TLSVersion.TLSv1_2).get_ciphers()
        if cipher["protocol"] != "TLSv1.3" and not UNUSABLE.search(str(cipher["name"]))
    }
    assert len(known) > 40
    return {name for name in known if takes(https, name)}


def takes(https: Client, cipher: str) -> bool:
    """Whether the server accepts this cipher; if not, the server itself must refuse it."""
    offer = context(https, ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0")
    try:
        with https.connect(context=offer):
            return True
    except ssl.SSLError as error:
        if "alert handshake failure" in str(error):
            return False
        raise
