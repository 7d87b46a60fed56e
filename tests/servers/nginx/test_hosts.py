"""Unknown host names."""

from __future__ import annotations

import ssl
import subprocess

import pytest

from tests.servers.client import Client
from tests.servers.names import BARE, WWW
from tests.servers.nginx.instance import Nginx


def test_unknown_names_end_at_the_handshake(nginx: Nginx, https: Client) -> None:
    for name in (BARE, WWW):
        https.connect(name=name).close()
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        https.connect(name="evil.test")
    nameless = ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx.https}", "-noservername"]
    asked = subprocess.run(nameless, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert b"unrecognized name" in asked.stderr
