"""TLS by Mozilla's guideline 6.0, "intermediate"."""

from __future__ import annotations

import subprocess

from tests.servers.apache.instance import Apache
from tests.servers.names import WWW


def test_nothing_is_resumed_by_a_ticket(apache: Apache) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{apache.https}", "-servername", WWW, "-tls1_2"]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout.decode()
    assert "Cipher is ECDHE" in said
    assert "session ticket" not in said
